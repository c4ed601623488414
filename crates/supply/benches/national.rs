//! A made-up nation for tests and benchmarks: power, telecommunications, water and transport in layers, with k-of-n redundancy, some of it abroad.
//!
//! Layers, each needing those before: the transmission grid; the telecommunications backbone (grid, or batteries and diesel); in each region power (grid
//! feeds, control over the backbone), telecommunications (regional power, backbone), water (pumps, power, control) and transport (lines, signalling, fuel);
//! in each region districts that need all of these. The same seed gives the same nation.

use supply::resilience::{Connective, Facts, Failure, Formula, Input, ModelBuilder, ModelError};

/// The seed that the benchmarks print and use.
pub(crate) const SEED: u64 = 20_261_124;

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = self.0 ^ (self.0 >> 33);
        x.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap_or(1)).unwrap_or(0)
    }
}

struct Nation {
    builder: ModelBuilder,
    random: Random,
    nodes: usize,
}

impl Nation {
    fn facts(&mut self, sector: &str) -> Facts {
        let nation = ["DEU", "DEU", "DEU", "DEU", "POL", "NOR"][self.random.below(6)];
        let owner = format!("{sector} company {}", self.random.below(12));
        Facts { owner: Some(owner.into()), nation: Some(nation.into()), ..Facts::default() }
    }

    fn event(&mut self, name: String, sector: &str, rate_per_h: f64, repair_h: f64) -> Result<String, ModelError> {
        // Up to four times as good or as bad as the typical one.
        let factor = [0.25, 0.5, 1.0, 1.0, 1.0, 2.0, 4.0][self.random.below(7)];
        let failure = Failure::Repairable { rate_per_h: rate_per_h * factor, repair_rate_per_h: 1.0 / repair_h };
        let facts = self.facts(sector);
        self.nodes += 1;
        self.builder.event(&name, failure, facts)?;
        Ok(name)
    }

    fn gate(&mut self, name: String, connective: Connective, inputs: &[String]) -> Result<String, ModelError> {
        let sector = name.split([' ', '/']).next().unwrap_or_default().to_owned();
        let facts = self.facts(&sector);
        self.nodes += 1;
        self.builder.gate(&name, Formula::new(connective, inputs.iter().map(Input::name)), facts)?;
        Ok(name)
    }

    fn any(&mut self, name: String, inputs: &[String]) -> Result<String, ModelError> {
        self.gate(name, Connective::Or, inputs)
    }

    fn all(&mut self, name: String, inputs: &[String]) -> Result<String, ModelError> {
        self.gate(name, Connective::And, inputs)
    }

    fn at_least(&mut self, name: String, k: u32, inputs: &[String]) -> Result<String, ModelError> {
        self.gate(name, Connective::AtLeast { k }, inputs)
    }

    /// `count` of a kind, lost when `k` of them are.
    fn redundant(
        &mut self,
        name: &str,
        sector: &str,
        count: usize,
        k: u32,
        rate: f64,
        repair_h: f64,
    ) -> Result<String, ModelError> {
        let units: Vec<String> =
            (1..=count).map(|i| self.event(format!("{name} {i}"), sector, rate, repair_h)).collect::<Result<_, _>>()?;
        self.at_least(name.to_owned(), k, &units)
    }

    /// Supply from `feeds`, or from a battery and diesel with its fuel.
    fn backed_up(&mut self, place: &str, feeds: &[String]) -> Result<String, ModelError> {
        let mains = self.all(format!("{place}/mains"), feeds)?;
        let battery = self.event(format!("{place}/battery"), "power", 1e-5, 48.0)?;
        let diesel = self.redundant(&format!("{place}/diesel"), "power", 2, 2, 1e-4, 24.0)?;
        let fuel = self.event(format!("{place}/fuel"), "transport", 2e-5, 12.0)?;
        let own = self.any(format!("{place}/own supply"), &[battery, diesel, fuel])?;
        self.all(format!("{place}/supply"), &[mains, own])
    }
}

/// A nation with about `nodes` nodes (at least some 2,000). Tops: `nation`, and each sector.
pub(crate) fn national(seed: u64, nodes: usize) -> Result<ModelBuilder, ModelError> {
    let mut n = Nation { builder: ModelBuilder::new(), random: Random(seed), nodes: 0 };
    n.builder.name(&format!("nation {seed}"));
    let regions = (nodes / 1_600).clamp(4, 100);

    // The grid: plants feed substations, each with two lines and two transformers.
    let mut substations = Vec::new();
    for s in 0..regions * 2 {
        let name = format!("power/grid/{s}");
        let lines = n.redundant(&format!("{name}/lines"), "power", 3, 3, 5e-5, 24.0)?;
        let transformers = n.redundant(&format!("{name}/transformers"), "power", 2, 2, 2e-6, 720.0)?;
        let busbar = n.event(format!("{name}/busbar"), "power", 2e-7, 48.0)?;
        let plants = n.redundant(&format!("{name}/plants"), "power", 5, 4, 4e-4, 72.0)?;
        substations.push(n.any(name, &[lines, transformers, busbar, plants])?);
    }
    let frequency = n.redundant("power/frequency control", "power", 6, 5, 1e-5, 4.0)?;

    // The backbone: core sites, each lost with its supply or its routers; the backbone is lost with too many.
    let mut cores = Vec::new();
    for c in 0..12 {
        let name = format!("telecom/core/{c}");
        let feeds: Vec<String> = (0..2).map(|f| substations[(c * 7 + f * 5) % substations.len()].clone()).collect();
        let supply = n.backed_up(&name, &feeds)?;
        let routers = n.redundant(&format!("{name}/routers"), "telecom", 2, 2, 2e-5, 8.0)?;
        let building = n.event(format!("{name}/building"), "telecom", 1e-8, 2_000.0)?;
        cores.push(n.any(name, &[supply, routers, building])?);
    }
    let quorum = n.at_least("telecom/cores".to_owned(), 8, &cores)?;
    let clock = n.redundant("telecom/time source", "telecom", 3, 3, 1e-6, 24.0)?;
    let naming = n.event("telecom/name service software".to_owned(), "telecom", 5e-8, 6.0)?;
    let backbone = n.any("telecom/backbone".to_owned(), &[quorum, clock, naming])?;

    let (mut power, mut telecom, mut water, mut transport, mut lost) = (vec![], vec![], vec![], vec![], vec![]);
    let fixed = n.nodes;
    for r in 0..regions {
        let place = |what: &str| format!("{what}/{r}");
        // Power of the region: its two substations, or a neighbour's over a tie line; control over the backbone, with local control as a reserve.
        let tie = n.event(place("power/tie line"), "power", 4e-5, 24.0)?;
        let other = substations[(r * 2 + 5) % substations.len()].clone();
        let neighbour = n.any(place("power/neighbour"), &[tie, other])?;
        let home = [substations[r * 2].clone(), substations[r * 2 + 1].clone()];
        let home = n.all(place("power/home substations"), &home)?;
        let feeds = n.all(place("power/feeds"), &[home, neighbour])?;
        let local = n.redundant(&place("power/local control"), "power", 2, 2, 1e-4, 10.0)?;
        let control = n.all(place("power/control"), &[backbone.clone(), local])?;
        let own = n.redundant(&place("power/regional transformers"), "power", 4, 3, 3e-6, 500.0)?;
        let light = n.any(place("power"), &[feeds, control, own])?;
        // Telecommunications: exchanges on a ring to two cores.
        let supply = n.backed_up(&place("telecom/exchange"), std::slice::from_ref(&light))?;
        let ring = n.redundant(&place("telecom/ring"), "telecom", 2, 2, 6e-5, 12.0)?;
        let homes = [cores[r % 12].clone(), cores[(r + 5) % 12].clone()];
        let homes = n.all(place("telecom/homes"), &homes)?;
        let switch = n.redundant(&place("telecom/switch"), "telecom", 2, 2, 3e-5, 8.0)?;
        let calls = n.any(place("telecom"), &[supply, ring, homes, switch, backbone.clone()])?;
        // Water: pumps, treatment with chemicals, control.
        let pumps = n.redundant(&place("water/pumps"), "water", 6, 4, 2e-4, 48.0)?;
        let supply = n.backed_up(&place("water/plant"), std::slice::from_ref(&light))?;
        let chemicals = n.redundant(&place("water/chemical suppliers"), "water", 2, 2, 1e-5, 100.0)?;
        let hands = n.event(place("water/operation by hand"), "water", 1e-4, 8.0)?;
        let control = n.all(place("water/control"), &[calls.clone(), hands])?;
        let tap = n.any(place("water"), &[pumps, supply, chemicals, control])?;
        // Transport: lines in, signalling, fuel.
        let lines = n.redundant(&place("transport/lines"), "transport", 4, 4, 1e-4, 30.0)?;
        let signals = n.redundant(&place("transport/signalling"), "transport", 3, 2, 2e-5, 10.0)?;
        let traffic = n.all(place("transport/traffic control"), &[calls.clone(), signals])?;
        let fuel = n.redundant(&place("transport/fuel depots"), "transport", 3, 3, 5e-5, 60.0)?;
        let access = n.any(place("transport"), &[lines, traffic, fuel])?;
        // Districts: lost with two of the four, where each has a substation, a mast and a main of its own.
        let mut districts = Vec::new();
        let mut district = 0;
        while n.nodes - fixed < (nodes.saturating_sub(fixed + 30)) * (r + 1) / regions {
            let name = format!("district/{r}/{district}");
            let station = n.redundant(&format!("{name}/transformers"), "power", 2, 2, 5e-6, 200.0)?;
            let own_light = n.any(format!("{name}/power"), &[light.clone(), station])?;
            let masts = n.redundant(&format!("{name}/masts"), "telecom", 3, 2, 1e-4, 24.0)?;
            let mast_supply = n.backed_up(&format!("{name}/mast"), std::slice::from_ref(&own_light))?;
            let own_calls = n.any(format!("{name}/telecom"), &[calls.clone(), masts, mast_supply])?;
            let mains = n.redundant(&format!("{name}/mains"), "water", 2, 2, 2e-5, 30.0)?;
            let own_tap = n.any(format!("{name}/water"), &[tap.clone(), mains])?;
            let road = n.redundant(&format!("{name}/roads"), "transport", 3, 3, 3e-5, 40.0)?;
            let own_access = n.any(format!("{name}/transport"), &[access.clone(), road])?;
            districts.push(n.at_least(name, 2, &[own_light, own_calls, own_tap, own_access])?);
            district += 1;
        }
        let k = u32::try_from(districts.len() / 3)
            .unwrap_or(u32::MAX)
            .max(2)
            .min(u32::try_from(districts.len()).unwrap_or(1));
        if !districts.is_empty() {
            lost.push(n.at_least(place("region"), k, &districts)?);
        }
        power.push(light);
        telecom.push(calls);
        water.push(tap);
        transport.push(access);
    }
    let share = |count: usize, part: usize| u32::try_from(count / part).unwrap_or(u32::MAX).max(2);
    let mut sectors = vec![frequency];
    for (name, places) in [("power", &power), ("telecom", &telecom), ("water", &water), ("transport", &transport)] {
        sectors.push(n.at_least(format!("{name} lost in many regions"), share(places.len(), 10), places)?);
    }
    let many = n.at_least("regions lost".to_owned(), share(lost.len(), 10), &lost)?;
    sectors.push(many);
    n.any("nation".to_owned(), &sectors)?;
    n.builder.top("nation", None);
    for name in ["power", "telecom", "water", "transport"] {
        n.builder.top(&format!("{name} lost in many regions"), None);
    }
    Ok(n.builder)
}
