//! Small vector arithmetic.

use pulp::Simd;

/// The sum of the products; of the shorter length.
#[inline(always)]
pub(in crate::local) fn dot<S: Simd>(simd: S, left: &[f32], right: &[f32]) -> f32 {
    let length = left.len().min(right.len());
    let (left, left_rest) = S::as_simd_f32s(&left[..length]);
    let (right, right_rest) = S::as_simd_f32s(&right[..length]);
    let (left_fours, left_ones) = left.as_chunks::<4>();
    let (right_fours, right_ones) = right.as_chunks::<4>();
    let mut sums = [simd.splat_f32s(0.0); 4];
    for (left, right) in left_fours.iter().zip(right_fours) {
        for lane in 0..4 {
            sums[lane] = simd.mul_add_e_f32s(left[lane], right[lane], sums[lane]);
        }
    }
    for (&left, &right) in left_ones.iter().zip(right_ones) {
        sums[0] = simd.mul_add_e_f32s(left, right, sums[0]);
    }
    let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    let mut sum = simd.reduce_sum_f32s(sum);
    for (left, right) in left_rest.iter().zip(right_rest) {
        sum = left.mul_add(*right, sum);
    }
    sum
}

/// `to += factor * from`.
#[inline(always)]
pub(in crate::local) fn add_scaled<S: Simd>(simd: S, to: &mut [f32], factor: f32, from: &[f32]) {
    let (to, to_rest) = S::as_mut_simd_f32s(to);
    let (from, from_rest) = S::as_simd_f32s(from);
    let factors = simd.splat_f32s(factor);
    for (to, &from) in to.iter_mut().zip(from) {
        *to = simd.mul_add_e_f32s(factors, from, *to);
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = factor.mul_add(*from, *to);
    }
}

/// e^x for x up to 88, with a relative error below 2e-7; 0 below -87. Unlike the library's it has no branch, so
/// a loop over it can be vectorised. Source: range reduction by powers of two, then Taylor's series to x^6.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers between -126 and 127 are meant")]
#[inline(always)]
pub(in crate::local) fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.0, 88.0);
    let power = (clamped * std::f32::consts::LOG2_E).round_ties_even();
    // ln 2 in two parts, the first with few bits, so that the product is exact.
    let rest = power.mul_add(-0.693_359_4, clamped);
    let rest = power.mul_add(2.121_944_4e-4, rest);
    let series = rest.mul_add(1.0 / 720.0, 1.0 / 120.0);
    let series = rest.mul_add(series, 1.0 / 24.0);
    let series = rest.mul_add(series, 1.0 / 6.0);
    let series = rest.mul_add(series, 0.5);
    let series = rest.mul_add(series, 1.0);
    let series = rest.mul_add(series, 1.0);
    let scaled = series * f32::from_bits(((power as i32 + 127).cast_unsigned()) << 23);
    if x < -87.0 { 0.0 } else { scaled }
}

/// x times the logistic function of x.
#[inline(always)]
pub(in crate::local) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_library() {
        for step in -870..880_i16 {
            let x = f32::from(step) / 10.0;
            let (ours, theirs) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours - theirs).abs() <= 3e-7 * theirs, "exp({x}) is {ours}, not {theirs}");
        }
        assert!(exp(-1000.0) == 0.0 && exp(f32::NEG_INFINITY) == 0.0);
        assert!(silu(-1000.0).abs() < 1e-30 && (silu(50.0) - 50.0).abs() < 1e-5);
    }
}
