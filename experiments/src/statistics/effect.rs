//! How large a difference is, whatever it is measured in.

/// The mean of differences by their standard deviation (Cohen's `d_z`): by convention 0.2 is small, 0.5 medium, 0.8 large. `None`
/// of fewer than two differences, and where all are the same.
///
/// Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), section 2.3.5.
pub fn standardised_mean_difference(differences: &[f64]) -> Option<f64> {
    let count = differences.len() as f64;
    let mean = super::summary::mean(differences)?;
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    (deviation.is_finite() && deviation > 0.0).then(|| mean / deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source of the example: D. Lakens, "Calculating and reporting effect sizes to facilitate cumulative science", Frontiers in
    /// Psychology 4 (2013), table 1: ten people judge two films.
    #[test]
    fn a_published_example_comes_out() {
        let first = [9.0, 7.0, 8.0, 9.0, 8.0, 9.0, 9.0, 10.0, 9.0, 9.0];
        let second = [9.0, 6.0, 7.0, 8.0, 7.0, 9.0, 8.0, 8.0, 8.0, 7.0];
        let differences: Vec<_> = first.iter().zip(second).map(|(first, second)| first - second).collect();
        let size = standardised_mean_difference(&differences).unwrap();
        assert!((size - 1.5).abs() < 1e-9, "{size}");
    }

    #[test]
    fn what_does_not_vary_has_no_size() {
        assert_eq!(standardised_mean_difference(&[]), None);
        assert_eq!(standardised_mean_difference(&[1.0]), None);
        assert_eq!(standardised_mean_difference(&[2.0, 2.0]), None);
    }
}
