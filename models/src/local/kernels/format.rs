//! How weights are packed in a GGUF file, and how they become numbers again.
//!
//! Weights stand in blocks along a row; a weight is `scale * quant + offset` with the scale (and offset) of its
//! block. Source: the block layouts of ggml (`ggml/src/ggml-common.h`, `ggml/src/ggml-quants.c`).

/// Weights that share a scale in the small formats, and activations that do.
pub(in crate::local) const BLOCK: usize = 32;
/// Weights in a block of the formats whose names end in K.
pub(in crate::local) const SUPER_BLOCK: usize = 256;

/// The packings that the kernels multiply with as they are. Every other one is repacked to `Q8_0` on loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum Format {
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q6K,
}

impl Format {
    /// Weights in one block.
    pub(in crate::local) const fn block_weights(self) -> usize {
        match self {
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => BLOCK,
            Self::Q4K | Self::Q6K => SUPER_BLOCK,
        }
    }

    /// Bytes of one block.
    pub(in crate::local) const fn block_bytes(self) -> usize {
        match self {
            Self::Q4_0 => Q4_0_BYTES,
            Self::Q4_1 => Q4_1_BYTES,
            Self::Q5_0 => Q5_0_BYTES,
            Self::Q5_1 => Q5_1_BYTES,
            Self::Q8_0 => Q8_0_BYTES,
            Self::Q4K => Q4K_BYTES,
            Self::Q6K => Q6K_BYTES,
        }
    }
}

pub(super) const Q4_0_BYTES: usize = 18;
pub(super) const Q4_1_BYTES: usize = 20;
pub(super) const Q5_0_BYTES: usize = 22;
pub(super) const Q5_1_BYTES: usize = 24;
pub(super) const Q8_0_BYTES: usize = 34;
pub(super) const Q4K_BYTES: usize = 144;
pub(super) const Q6K_BYTES: usize = 210;

/// A packed weight matrix, row by row. Owned by the model's weights; never changes.
#[derive(Debug)]
pub(in crate::local) struct Matrix {
    format: Format,
    rows: usize,
    columns: usize,
    bytes: Vec<u8>,
}

impl Matrix {
    /// `None` unless `columns` is a whole number of blocks and `bytes` holds exactly `rows` such rows.
    pub(in crate::local) fn new(format: Format, rows: usize, columns: usize, bytes: Vec<u8>) -> Option<Self> {
        let fits = columns > 0
            && columns.is_multiple_of(format.block_weights())
            && rows.checked_mul(columns / format.block_weights())?.checked_mul(format.block_bytes())?
                == bytes.len();
        fits.then_some(Self { format, rows, columns, bytes })
    }

    /// Packs plain numbers as `Q8_0`. `None` unless `columns` is a multiple of 32 and divides `values`.
    pub(in crate::local) fn pack(columns: usize, values: &[f32]) -> Option<Self> {
        if columns == 0 || !values.len().is_multiple_of(columns) {
            return None;
        }
        let (blocks, _) = values.as_chunks::<BLOCK>();
        let mut bytes = Vec::with_capacity(blocks.len() * Q8_0_BYTES);
        for block in blocks {
            let largest = block.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let scale = half::f16::from_f32(largest / 127.0);
            let inverse = if scale.to_f32() > 0.0 { 1.0 / scale.to_f32() } else { 0.0 };
            bytes.extend_from_slice(&scale.to_le_bytes());
            bytes.extend(block.iter().map(|value| clamp_to_i8(value * inverse).to_le_bytes()[0]));
        }
        Self::new(Format::Q8_0, values.len() / columns, columns, bytes)
    }

    pub(in crate::local) fn format(&self) -> Format {
        self.format
    }

    pub(in crate::local) fn rows(&self) -> usize {
        self.rows
    }

    pub(in crate::local) fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of one packed row.
    pub(super) fn row_bytes(&self) -> usize {
        self.columns / self.format.block_weights() * self.format.block_bytes()
    }

    /// The packed row; empty past the last one.
    #[inline]
    pub(super) fn row(&self, row: usize) -> &[u8] {
        let length = self.row_bytes();
        self.bytes.get(row * length..(row + 1) * length).unwrap_or(&[])
    }

    /// Unpacks a row into `out`, which is as long as the row.
    #[inline(always)]
    pub(in crate::local) fn unpack_row(&self, row: usize, out: &mut [f32]) {
        unpack(self.format, self.row(row), out);
    }
}

/// Rounds to the nearest whole number that fits.
#[expect(clippy::cast_possible_truncation, reason = "the value is clamped before")]
#[inline(always)]
pub(super) fn clamp_to_i8(value: f32) -> i8 {
    value.round_ties_even().clamp(-127.0, 127.0) as i8
}

/// Unpacks whole blocks into `out`.
#[inline(always)]
fn unpack(format: Format, row: &[u8], out: &mut [f32]) {
    match format {
        Format::Q4_0 => unpack_blocks::<Q4_0_BYTES, BLOCK>(row, out, |block, out| {
            let (scale, quants) = (f16(block[0], block[1]), &block[2..]);
            nibbles(quants, out, |quant| scale * (quant - 8.0));
        }),
        Format::Q4_1 => unpack_blocks::<Q4_1_BYTES, BLOCK>(row, out, |block, out| {
            let (scale, offset) = (f16(block[0], block[1]), f16(block[2], block[3]));
            nibbles(&block[4..], out, |quant| scale * quant + offset);
        }),
        Format::Q5_0 => unpack_blocks::<Q5_0_BYTES, BLOCK>(row, out, |block, out| {
            let scale = f16(block[0], block[1]);
            let high = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
            five_bits(high, &block[6..], out, |quant| scale * (quant - 16.0));
        }),
        Format::Q5_1 => unpack_blocks::<Q5_1_BYTES, BLOCK>(row, out, |block, out| {
            let (scale, offset) = (f16(block[0], block[1]), f16(block[2], block[3]));
            let high = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
            five_bits(high, &block[8..], out, |quant| scale * quant + offset);
        }),
        Format::Q8_0 => unpack_blocks::<Q8_0_BYTES, BLOCK>(row, out, |block, out| {
            let scale = f16(block[0], block[1]);
            for (out, &quant) in out.iter_mut().zip(&block[2..]) {
                *out = scale * f32::from(quant.cast_signed());
            }
        }),
        Format::Q4K => unpack_blocks::<Q4K_BYTES, SUPER_BLOCK>(row, out, unpack_q4k),
        Format::Q6K => unpack_blocks::<Q6K_BYTES, SUPER_BLOCK>(row, out, unpack_q6k),
    }
}

#[inline(always)]
fn unpack_blocks<const BYTES: usize, const WEIGHTS: usize>(
    row: &[u8],
    out: &mut [f32],
    unpack_block: impl Fn(&[u8; BYTES], &mut [f32; WEIGHTS]),
) {
    let (blocks, _) = row.as_chunks::<BYTES>();
    let (outs, _) = out.as_chunks_mut::<WEIGHTS>();
    for (block, out) in blocks.iter().zip(outs) {
        unpack_block(block, out);
    }
}

/// The low halves of 16 bytes are the first 16 quants, the high halves the others.
#[inline(always)]
fn nibbles(bytes: &[u8], out: &mut [f32; BLOCK], weight: impl Fn(f32) -> f32) {
    let (low, high) = out.split_at_mut(BLOCK / 2);
    for ((low, high), &byte) in low.iter_mut().zip(high).zip(bytes) {
        *low = weight(f32::from(byte & 0x0f));
        *high = weight(f32::from(byte >> 4));
    }
}

/// As [`nibbles`], with the fifth bit of quant `i` in bit `i` of `high_bits`.
#[inline(always)]
fn five_bits(high_bits: u32, bytes: &[u8], out: &mut [f32; BLOCK], weight: impl Fn(f32) -> f32) {
    nibbles(bytes, out, |quant| quant);
    for (index, out) in out.iter_mut().enumerate() {
        let fifth = if (high_bits >> index) & 1 == 1 { 16.0 } else { 0.0 };
        *out = weight(*out + fifth);
    }
}

/// Scale and minimum number `index` (0 to 7) of a `Q4K` block: 6 bits each, packed into 12 bytes.
#[inline(always)]
pub(super) fn q4k_scale_and_minimum(packed: &[u8; 12], index: usize) -> (u8, u8) {
    if index < 4 {
        (packed[index] & 63, packed[index + 4] & 63)
    } else {
        (
            (packed[index + 4] & 0x0f) | ((packed[index - 4] >> 6) << 4),
            (packed[index + 4] >> 4) | ((packed[index] >> 6) << 4),
        )
    }
}

/// Splits a `Q4K` block: scale, scale of the minima, packed scales, quants.
#[inline(always)]
pub(super) fn q4k_parts(block: &[u8; Q4K_BYTES]) -> (f32, f32, [u8; 12], &[[u8; BLOCK]]) {
    let mut scales = [0; 12];
    scales.copy_from_slice(&block[4..16]);
    (f16(block[0], block[1]), f16(block[2], block[3]), scales, block[16..].as_chunks().0)
}

#[inline(always)]
fn unpack_q4k(block: &[u8; Q4K_BYTES], out: &mut [f32; SUPER_BLOCK]) {
    let (scale, minimum_scale, scales, quants) = q4k_parts(block);
    for (index, (out, quants)) in out.as_chunks_mut::<{ 2 * BLOCK }>().0.iter_mut().zip(quants).enumerate() {
        let (low_out, high_out) = out.split_at_mut(BLOCK);
        let (low_scale, low_minimum) = q4k_scale_and_minimum(&scales, 2 * index);
        let (high_scale, high_minimum) = q4k_scale_and_minimum(&scales, 2 * index + 1);
        let (low_scale, low_offset) = (scale * f32::from(low_scale), minimum_scale * f32::from(low_minimum));
        let (high_scale, high_offset) =
            (scale * f32::from(high_scale), minimum_scale * f32::from(high_minimum));
        for ((low, high), &byte) in low_out.iter_mut().zip(high_out).zip(quants) {
            *low = low_scale * f32::from(byte & 0x0f) - low_offset;
            *high = high_scale * f32::from(byte >> 4) - high_offset;
        }
    }
}

/// Scale, low bits, high bits and sub-scales of a `Q6K` block.
type Q6kParts<'a> = (f32, &'a [[u8; 64]], &'a [[u8; BLOCK]], &'a [[u8; 8]]);

/// Splits a `Q6K` block.
#[inline(always)]
pub(super) fn q6k_parts(block: &[u8; Q6K_BYTES]) -> Q6kParts<'_> {
    (
        f16(block[208], block[209]),
        block[..128].as_chunks().0,
        block[128..192].as_chunks().0,
        block[192..208].as_chunks().0,
    )
}

#[inline(always)]
fn unpack_q6k(block: &[u8; Q6K_BYTES], out: &mut [f32; SUPER_BLOCK]) {
    let (scale, lows, highs, scales) = q6k_parts(block);
    let halves = out.as_chunks_mut::<128>().0.iter_mut().zip(lows).zip(highs).zip(scales);
    for (((out, low), high), scales) in halves {
        for (quarter, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let from = (quarter % 2) * BLOCK;
            let (low_shift, high_shift) = (4 * (quarter / 2), 2 * quarter);
            let sub_scales = [
                scale * f32::from(scales[2 * quarter].cast_signed()),
                scale * f32::from(scales[2 * quarter + 1].cast_signed()),
            ];
            for (index, out) in out.iter_mut().enumerate() {
                let low = (low[from + index] >> low_shift) & 0x0f;
                let high = (high[index] >> high_shift) & 3;
                *out = sub_scales[index / 16] * (f32::from(low | (high << 4)) - 32.0);
            }
        }
    }
}

/// A half-precision number from its two bytes. Scales are finite, so infinities are not told apart.
#[inline(always)]
pub(super) fn f16(low: u8, high: u8) -> f32 {
    /// 2^112: the difference of the exponents' biases, 127 - 15.
    const REBIAS: f32 = f32::from_bits((112 + 127) << 23);
    let bits = u32::from(u16::from_le_bytes([low, high]));
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * REBIAS;
    f32::from_bits(magnitude.to_bits() | ((bits & 0x8000) << 16))
}
