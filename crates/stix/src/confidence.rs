//! Confidence on other scales (S-032, appendix A of the standard).
//!
//! ```
//! use stix::confidence::Scale;
//! assert_eq!(Scale::Admiralty.to_confidence("2 Probably True"), Some(Some(70)));
//! assert_eq!(Scale::NoneLowMedHigh.of_confidence(30), Some("Med"));
//! assert_eq!(Scale::Admiralty.to_confidence("6 Truth cannot be judged"), Some(None));
//! ```

/// A scale on which people say how sure they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// None, Low, Med, High.
    NoneLowMedHigh,
    /// 0 to 10.
    ZeroToTen,
    /// Credibility of the Admiralty code, 6 to 1.
    Admiralty,
    /// Words of estimative probability.
    Wep,
    /// Expressions of the Director of National Intelligence (ICD 203).
    Dni,
}

/// A value, the confidence that stands for it, and the last confidence that maps back to it; the first is one above the last of the row before.
type Row = (&'static str, u8, u8);

const NONE_LOW_MED_HIGH: &[Row] = &[("None", 0, 0), ("Low", 15, 29), ("Med", 50, 69), ("High", 85, 100)];
const ZERO_TO_TEN: &[Row] = &[
    ("0", 0, 4),
    ("1", 10, 14),
    ("2", 20, 24),
    ("3", 30, 34),
    ("4", 40, 44),
    ("5", 50, 54),
    ("6", 60, 64),
    ("7", 70, 74),
    ("8", 80, 84),
    ("9", 90, 94),
    ("10", 100, 100),
];
const ADMIRALTY: &[Row] = &[
    ("5 Improbable", 10, 19),
    ("4 Doubtful", 30, 39),
    ("3 Possibly True", 50, 59),
    ("2 Probably True", 70, 79),
    ("1 Confirmed by other sources", 90, 100),
];
const WEP: &[Row] = &[
    ("Impossible", 0, 0),
    ("Highly Unlikely/Almost Certainly Not", 10, 19),
    ("Unlikely/Probably Not", 30, 39),
    ("Even Chance", 50, 59),
    ("Likely/Probable", 70, 79),
    ("Highly likely/Almost Certain", 90, 99),
    ("Certain", 100, 100),
];
const DNI: &[Row] = &[
    ("Almost No Chance/Remote", 5, 9),
    ("Very Unlikely/Highly Improbable", 15, 19),
    ("Unlikely/Improbable", 30, 39),
    ("Roughly Even Chance/Roughly Even Odds", 50, 59),
    ("Likely/Probable", 70, 79),
    ("Very Likely/Highly Probable", 85, 89),
    ("Almost Certain/Nearly Certain", 95, 100),
];
/// What the Admiralty code has no confidence for: the property is left out.
const NOT_JUDGED: &str = "6 Truth cannot be judged";

impl Scale {
    fn rows(self) -> &'static [Row] {
        match self {
            Self::NoneLowMedHigh => NONE_LOW_MED_HIGH,
            Self::ZeroToTen => ZERO_TO_TEN,
            Self::Admiralty => ADMIRALTY,
            Self::Wep => WEP,
            Self::Dni => DNI,
        }
    }

    /// Every value, from the least sure; of the Admiralty code without that for "cannot be judged".
    pub fn values(self) -> impl Iterator<Item = &'static str> {
        self.rows().iter().map(|(value, ..)| *value)
    }

    /// The confidence of a value: `None` if the scale has no such value, `Some(None)` if it stands for "not specified".
    pub fn to_confidence(self, value: &str) -> Option<Option<u8>> {
        if self == Self::Admiralty && value == NOT_JUDGED {
            return Some(None);
        }
        self.rows().iter().find(|row| row.0 == value).map(|row| Some(row.1))
    }

    /// The value for a confidence; `None` if it is above 100.
    pub fn of_confidence(self, confidence: u8) -> Option<&'static str> {
        self.rows().iter().find(|row| confidence <= row.2).map(|row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_map_to_confidence_and_back_at_their_borders() {
        // S-032
        let borders = |scale: Scale| -> Vec<u8> {
            (1..=100).filter(|c| scale.of_confidence(*c) != scale.of_confidence(c - 1)).collect()
        };
        assert_eq!(borders(Scale::NoneLowMedHigh), [1, 30, 70]);
        assert_eq!(borders(Scale::ZeroToTen), [5, 15, 25, 35, 45, 55, 65, 75, 85, 95]);
        assert_eq!(borders(Scale::Admiralty), [20, 40, 60, 80]);
        assert_eq!(borders(Scale::Wep), [1, 20, 40, 60, 80, 100]);
        assert_eq!(borders(Scale::Dni), [10, 20, 40, 60, 80, 90]);
        for scale in [Scale::NoneLowMedHigh, Scale::ZeroToTen, Scale::Admiralty, Scale::Wep, Scale::Dni] {
            for value in scale.values() {
                let confidence = scale.to_confidence(value).flatten();
                assert_eq!(confidence.and_then(|c| scale.of_confidence(c)), Some(value), "{scale:?}");
            }
            assert_eq!((scale.of_confidence(101), scale.to_confidence("none such")), (None, None), "{scale:?}");
        }
        assert_eq!(Scale::Admiralty.to_confidence(NOT_JUDGED), Some(None));
    }
}
