//! The product of a packed row and a packed vector, 32 weights at a time, with AVX2.

use std::arch::x86_64::{__m128i, __m256, __m256i};

use pulp::cast;
use pulp::x86::V3;

use super::activation::Activations;
use super::format::{
    BLOCK, Format, Q4_0_BYTES, Q4_1_BYTES, Q4K_BYTES, Q5_0_BYTES, Q5_1_BYTES, Q6K_BYTES, Q8_0_BYTES, f16,
    q4k_parts, q4k_scale_and_minimum, q6k_parts,
};

/// Blocks whose scales are unpacked together.
const GROUP: usize = 8;

/// The product of one row with the vector.
#[inline(always)]
pub(super) fn dot(simd: V3, format: Format, row: &[u8], vector: &Activations) -> f32 {
    match format {
        Format::Q4_0 => dot_small::<Q4_0_BYTES, Q4_0>(simd, row, vector),
        Format::Q4_1 => dot_small::<Q4_1_BYTES, Q4_1>(simd, row, vector),
        Format::Q5_0 => dot_small::<Q5_0_BYTES, Q5_0>(simd, row, vector),
        Format::Q5_1 => dot_small::<Q5_1_BYTES, Q5_1>(simd, row, vector),
        Format::Q8_0 => dot_small::<Q8_0_BYTES, Q8_0>(simd, row, vector),
        Format::Q4K => dot_q4k(simd, row, vector),
        Format::Q6K => dot_q6k(simd, row, vector),
    }
}

/// A format whose blocks hold 32 weights and begin with their scale.
trait Small<const BYTES: usize> {
    /// What is added to each weight.
    const OFFSET: Offset;

    /// Products of the block's quants with a block of the vector, added in pairs.
    fn products(simd: V3, block: &[u8; BYTES], values: __m256i) -> __m256i;
}

#[derive(Clone, Copy)]
enum Offset {
    /// So many times the scale.
    Scales(f32),
    /// It stands behind the scale.
    Stored,
}

struct Q4_0;
struct Q4_1;
struct Q5_0;
struct Q5_1;
struct Q8_0;

impl Small<Q4_0_BYTES> for Q4_0 {
    const OFFSET: Offset = Offset::Scales(-8.0);

    #[inline(always)]
    fn products(simd: V3, block: &[u8; Q4_0_BYTES], values: __m256i) -> __m256i {
        simd.avx2._mm256_maddubs_epi16(nibbles(simd, array(&block[2..])), values)
    }
}

impl Small<Q4_1_BYTES> for Q4_1 {
    const OFFSET: Offset = Offset::Stored;

    #[inline(always)]
    fn products(simd: V3, block: &[u8; Q4_1_BYTES], values: __m256i) -> __m256i {
        simd.avx2._mm256_maddubs_epi16(nibbles(simd, array(&block[4..])), values)
    }
}

impl Small<Q5_0_BYTES> for Q5_0 {
    const OFFSET: Offset = Offset::Scales(-16.0);

    #[inline(always)]
    fn products(simd: V3, block: &[u8; Q5_0_BYTES], values: __m256i) -> __m256i {
        simd.avx2._mm256_maddubs_epi16(five_bits(simd, array(&block[2..]), array(&block[6..])), values)
    }
}

impl Small<Q5_1_BYTES> for Q5_1 {
    const OFFSET: Offset = Offset::Stored;

    #[inline(always)]
    fn products(simd: V3, block: &[u8; Q5_1_BYTES], values: __m256i) -> __m256i {
        simd.avx2._mm256_maddubs_epi16(five_bits(simd, array(&block[4..]), array(&block[8..])), values)
    }
}

impl Small<Q8_0_BYTES> for Q8_0 {
    const OFFSET: Offset = Offset::Scales(0.0);

    #[inline(always)]
    fn products(simd: V3, block: &[u8; Q8_0_BYTES], values: __m256i) -> __m256i {
        signed_products(simd, cast(array::<BLOCK>(&block[2..])), values)
    }
}

/// Eight blocks at a time, then what is left one by one.
#[inline(always)]
fn dot_small<const BYTES: usize, F: Small<BYTES>>(simd: V3, row: &[u8], vector: &Activations) -> f32 {
    let (blocks, _) = row.as_chunks::<BYTES>();
    let (groups, rest) = blocks.as_chunks::<GROUP>();
    let (values, values_rest) = vector.quants.as_chunks::<GROUP>();
    let (scales, scales_rest) = vector.scales.as_chunks::<GROUP>();
    let (sums, sums_rest) = vector.sums.as_chunks::<GROUP>();
    let mut sum = [simd.avx._mm256_setzero_ps(); 2];
    let mut offsets = simd.avx._mm256_setzero_ps();
    for (((group, values), value_scales), value_sums) in groups.iter().zip(values).zip(scales).zip(sums) {
        let scales = halves::<BYTES, 0>(simd, group);
        let factors: [f32; GROUP] = cast(simd.avx._mm256_mul_ps(scales, cast(*value_scales)));
        let offset = match F::OFFSET {
            Offset::Scales(count) => simd.avx._mm256_mul_ps(scales, simd.avx._mm256_set1_ps(count)),
            Offset::Stored => halves::<BYTES, 2>(simd, group),
        };
        offsets = simd.fma._mm256_fmadd_ps(offset, cast(*value_sums), offsets);
        for index in 0..GROUP {
            let products = F::products(simd, &group[index], cast(values[index]));
            sum[index % 2] = add_scaled(simd, sum[index % 2], pairs(simd, products), factors[index]);
        }
    }
    let mut offset_sum = total(offsets);
    for (((block, &values), value_scale), value_sum) in
        rest.iter().zip(values_rest).zip(scales_rest).zip(sums_rest)
    {
        let scale = f16(block[0], block[1]);
        let offset = match F::OFFSET {
            Offset::Scales(count) => scale * count,
            Offset::Stored => f16(block[2], block[3]),
        };
        offset_sum = offset.mul_add(*value_sum, offset_sum);
        let products = F::products(simd, block, cast(values));
        sum[0] = add_scaled(simd, sum[0], pairs(simd, products), scale * value_scale);
    }
    total(simd.avx._mm256_add_ps(sum[0], sum[1])) + offset_sum
}

/// The half-precision numbers at byte `AT` of eight blocks. As `format::f16`.
#[inline(always)]
fn halves<const BYTES: usize, const AT: usize>(simd: V3, blocks: &[[u8; BYTES]; GROUP]) -> __m256 {
    const REBIAS: f32 = f32::from_bits((112 + 127) << 23);
    let mut bits = [0_u16; GROUP];
    for index in 0..GROUP {
        bits[index] = u16::from_le_bytes([blocks[index][AT], blocks[index][AT + 1]]);
    }
    let bits = simd.avx2._mm256_cvtepu16_epi32(cast(bits));
    let magnitude = simd.avx2._mm256_and_si256(bits, simd.avx._mm256_set1_epi32(0x7fff));
    let magnitude = simd.avx2._mm256_slli_epi32::<13>(magnitude);
    let magnitude = simd.avx._mm256_mul_ps(cast(magnitude), simd.avx._mm256_set1_ps(REBIAS));
    let sign = simd.avx2._mm256_and_si256(bits, simd.avx._mm256_set1_epi32(0x8000));
    simd.avx._mm256_or_ps(magnitude, cast(simd.avx2._mm256_slli_epi32::<16>(sign)))
}

/// Copies the first `N` bytes. The callers' slices are long enough; a shorter one would give zeros.
#[inline(always)]
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

#[inline(always)]
fn dot_q4k(simd: V3, row: &[u8], vector: &Activations) -> f32 {
    let mask = simd.avx._mm256_set1_epi8(0x0f);
    let mut sum = simd.avx._mm256_setzero_ps();
    let mut offsets = 0.0;
    let blocks = row.as_chunks::<Q4K_BYTES>().0.iter();
    let values = vector.quants.as_chunks::<8>().0.iter();
    let scales = vector.scales.as_chunks::<8>().0.iter().zip(vector.sums.as_chunks::<8>().0);
    for ((block, values), (value_scales, value_sums)) in blocks.zip(values).zip(scales) {
        let (scale, minimum_scale, packed, quants) = q4k_parts(block);
        for (index, &bytes) in quants.iter().enumerate() {
            let bytes: __m256i = cast(bytes);
            let high = simd.avx2._mm256_srli_epi16::<4>(bytes);
            for (sub, nibbles) in [(2 * index, bytes), (2 * index + 1, high)] {
                let quants = simd.avx2._mm256_and_si256(nibbles, mask);
                let (sub_scale, minimum) = q4k_scale_and_minimum(&packed, sub);
                let products = simd.avx2._mm256_maddubs_epi16(quants, cast(values[sub]));
                let factor = scale * f32::from(sub_scale) * value_scales[sub];
                sum = add_scaled(simd, sum, pairs(simd, products), factor);
                offsets = (minimum_scale * f32::from(minimum)).mul_add(-value_sums[sub], offsets);
            }
        }
    }
    total(sum) + offsets
}

#[inline(always)]
fn dot_q6k(simd: V3, row: &[u8], vector: &Activations) -> f32 {
    let low_mask = simd.avx._mm256_set1_epi8(0x0f);
    let high_mask = simd.avx._mm256_set1_epi8(0x30);
    let bias = simd.avx._mm256_set1_epi8(32);
    let mut sum = simd.avx._mm256_setzero_ps();
    let blocks = row.as_chunks::<Q6K_BYTES>().0.iter();
    let values = vector.quants.as_chunks::<8>().0.iter().zip(vector.scales.as_chunks::<8>().0);
    for (block, (values, value_scales)) in blocks.zip(values) {
        let (scale, lows, highs, scales) = q6k_parts(block);
        for (half, ((low, &high), scales)) in lows.iter().zip(highs).zip(scales).enumerate() {
            let first: __m256i = cast(array::<BLOCK>(&low[..]));
            let second: __m256i = cast(array::<BLOCK>(&low[BLOCK..]));
            let high: __m256i = cast(high);
            let quarters = [
                (first, simd.avx2._mm256_slli_epi16::<4>(high)),
                (second, simd.avx2._mm256_slli_epi16::<2>(high)),
                (simd.avx2._mm256_srli_epi16::<4>(first), high),
                (simd.avx2._mm256_srli_epi16::<4>(second), simd.avx2._mm256_srli_epi16::<2>(high)),
            ];
            for (quarter, (low, high)) in quarters.into_iter().enumerate() {
                let sub = 4 * half + quarter;
                let quants = simd.avx2._mm256_or_si256(
                    simd.avx2._mm256_and_si256(low, low_mask),
                    simd.avx2._mm256_and_si256(high, high_mask),
                );
                let quants = simd.avx2._mm256_sub_epi8(quants, bias);
                let products = signed_products(simd, quants, cast(values[sub]));
                let sub_scales = simd.avx._mm256_setr_m128i(
                    simd.sse2._mm_set1_epi16(i16::from(scales[2 * quarter].cast_signed())),
                    simd.sse2._mm_set1_epi16(i16::from(scales[2 * quarter + 1].cast_signed())),
                );
                let products = simd.avx2._mm256_madd_epi16(products, sub_scales);
                sum = add_scaled(simd, sum, products, scale * value_scales[sub]);
            }
        }
    }
    total(sum)
}

/// 16 bytes to 32 quants of 4 bits: first the low halves, then the high ones.
#[inline(always)]
fn nibbles(simd: V3, bytes: [u8; 16]) -> __m256i {
    let low: __m128i = cast(bytes);
    let high = simd.sse2._mm_srli_epi16::<4>(low);
    let both = simd.avx._mm256_setr_m128i(low, high);
    simd.avx2._mm256_and_si256(both, simd.avx._mm256_set1_epi8(0x0f))
}

/// As [`nibbles`], with a fifth bit each.
#[inline(always)]
fn five_bits(simd: V3, high_bits: [u8; 4], bytes: [u8; 16]) -> __m256i {
    /// Which of the four bytes holds the bit of each quant.
    const BYTE_OF: [u8; 32] =
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3];
    /// The bits of each byte but one: what remains must be filled up to all ones by the bit that is asked for.
    const ALL_BUT: i64 = 0x7fbf_dfef_f7fb_fdfe;
    let spread = simd.avx._mm256_set1_epi32(i32::from_le_bytes(high_bits));
    let spread = simd.avx2._mm256_shuffle_epi8(spread, cast(BYTE_OF));
    let filled = simd.avx2._mm256_or_si256(spread, simd.avx._mm256_set1_epi64x(ALL_BUT));
    let set = simd.avx2._mm256_cmpeq_epi8(filled, simd.avx._mm256_set1_epi8(-1));
    let fifth = simd.avx2._mm256_and_si256(set, simd.avx._mm256_set1_epi8(0x10));
    simd.avx2._mm256_or_si256(nibbles(simd, bytes), fifth)
}

/// Products of signed bytes, added in pairs. They fit: the sum of two is at most 2 * 128 * 127.
#[inline(always)]
fn signed_products(simd: V3, quants: __m256i, values: __m256i) -> __m256i {
    let magnitudes = simd.avx2._mm256_sign_epi8(quants, quants);
    let signed_values = simd.avx2._mm256_sign_epi8(values, quants);
    simd.avx2._mm256_maddubs_epi16(magnitudes, signed_values)
}

/// Adds neighbours: 16 short sums to 8 long ones.
#[inline(always)]
fn pairs(simd: V3, products: __m256i) -> __m256i {
    simd.avx2._mm256_madd_epi16(products, simd.avx._mm256_set1_epi16(1))
}

#[inline(always)]
fn add_scaled(simd: V3, sum: __m256, products: __m256i, factor: f32) -> __m256 {
    simd.fma._mm256_fmadd_ps(simd.avx._mm256_cvtepi32_ps(products), simd.avx._mm256_set1_ps(factor), sum)
}

#[inline(always)]
fn total(sum: __m256) -> f32 {
    let lanes: [f32; 8] = cast(sum);
    let halves: [f32; 4] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + 4]);
    (halves[0] + halves[2]) + (halves[1] + halves[3])
}
