//! `raster-image-ext` (section 6.7.5).

use crate::{
    model::{Any, Dictionary, Integer, stix_extension},
    validate::rules,
};

stix_extension! {
    /// What is specific to raster images.
    RasterImageExt = "raster-image-ext" of "file", section "6.7.5", requirement "S-105", rules [rules::some_property];
    required {}
    optional { image_height: Integer, image_width: Integer, bits_per_pixel: Integer, exif_tags: Dictionary<Any>, }
}
