//! Every packing against candle's own reading of it.

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};

use super::tiny::Random;
use crate::local::kernels::matvec::matvec;
use crate::local::kernels::panel::multiply;
use crate::local::kernels::{Activations, Format, Matrix, Panels, Threads};

const ROWS: usize = 29;
/// A multiple of 256, and not of 8 blocks of 32 alone: 8 and 1 groups are left over in the smaller formats.
const COLUMNS: usize = 768;

const FORMATS: [(Format, GgmlDType); 7] = [
    (Format::Q4_0, GgmlDType::Q4_0),
    (Format::Q4_1, GgmlDType::Q4_1),
    (Format::Q5_0, GgmlDType::Q5_0),
    (Format::Q5_1, GgmlDType::Q5_1),
    (Format::Q8_0, GgmlDType::Q8_0),
    (Format::Q4K, GgmlDType::Q4K),
    (Format::Q6K, GgmlDType::Q6K),
];

/// A matrix in the format, and its numbers as candle reads them.
fn matrix(format: Format, dtype: GgmlDType, columns: usize) -> (Matrix, Vec<f32>) {
    let values = Random(3).numbers(ROWS * columns, 1.0);
    let tensor = Tensor::from_vec(values, (ROWS, columns), &Device::Cpu).unwrap();
    let bytes = QTensor::quantize(&tensor, dtype).unwrap().data().unwrap().into_owned();
    let storage = QStorage::from_data((&bytes).into(), &Device::Cpu, dtype).unwrap();
    let numbers = QTensor::new(storage, (ROWS, columns)).unwrap().dequantize(&Device::Cpu).unwrap();
    (Matrix::new(format, ROWS, columns, bytes).unwrap(), numbers.flatten_all().unwrap().to_vec1().unwrap())
}

#[expect(clippy::cast_possible_truncation, reason = "compared with single precision")]
fn product(row: &[f32], vector: &[f32]) -> f32 {
    let products = row.iter().zip(vector).map(|(weight, value)| f64::from(*weight) * f64::from(*value));
    products.sum::<f64>() as f32
}

#[test]
fn packed_weights_are_unpacked_as_candle_does() {
    for (format, dtype) in FORMATS {
        let (matrix, numbers) = matrix(format, dtype, COLUMNS);
        let mut row = vec![0.0; COLUMNS];
        for (index, expected) in numbers.chunks_exact(COLUMNS).enumerate() {
            matrix.unpack_row(index, &mut row);
            for (ours, theirs) in row.iter().zip(expected) {
                assert!((ours - theirs).abs() < 1e-5, "{format:?}: {ours} is not {theirs}");
            }
        }
    }
}

#[test]
fn products_with_one_vector_are_right_up_to_its_packing() {
    let lengths = [COLUMNS, 32, 288];
    for (format, dtype) in FORMATS {
        for columns in lengths.into_iter().filter(|columns| columns.is_multiple_of(format.block_weights())) {
            let (matrix, numbers) = matrix(format, dtype, columns);
            let vector = Random(4).numbers(columns, 2.0);
            let mut packed = Activations::default();
            packed.pack(&vector);
            for threads in [1, 2] {
                let mut out = vec![0.0; ROWS];
                matvec(&Threads::start(threads, "test").unwrap(), &matrix, &packed, &mut out);
                for (row, ours) in numbers.chunks_exact(columns).zip(&out) {
                    let expected = product(row, &vector);
                    assert!((ours - expected).abs() < 0.25, "{format:?} {columns}: {ours} is not {expected}");
                }
            }
        }
    }
}

#[test]
fn products_with_many_vectors_are_right() {
    for (format, dtype) in FORMATS {
        let (matrix, numbers) = matrix(format, dtype, COLUMNS);
        let vectors: Vec<Vec<f32>> = (0..45).map(|seed| Random(seed).numbers(COLUMNS, 2.0)).collect();
        let (mut panels, mut out) = (Panels::default(), Panels::default());
        panels.resize(vectors.len(), COLUMNS);
        out.resize(vectors.len(), ROWS);
        for (position, vector) in vectors.iter().enumerate() {
            panels.set(position, vector);
        }
        multiply(&Threads::start(2, "test").unwrap(), &matrix, &panels, &mut out, &mut Vec::new());
        let mut ours = vec![0.0; ROWS];
        for (position, vector) in vectors.iter().enumerate() {
            out.get(position, 0, &mut ours);
            for (row, ours) in numbers.chunks_exact(COLUMNS).zip(&ours) {
                let expected = product(row, vector);
                assert!((ours - expected).abs() < 1e-3, "{format:?}: {ours} is not {expected}");
            }
        }
    }
}

#[test]
fn matrix_of_a_wrong_size_is_refused() {
    assert!(Matrix::new(Format::Q8_0, 1, 32, vec![0; 33]).is_none());
    assert!(Matrix::new(Format::Q8_0, 1, 31, vec![0; 34]).is_none());
    assert!(Matrix::new(Format::Q8_0, usize::MAX, 64, vec![0; 34]).is_none());
    assert!(Matrix::pack(33, &[0.0; 33]).is_none());
}

#[test]
fn repacked_numbers_are_close() {
    let values = Random(9).numbers(4 * 64, 3.0);
    let matrix = Matrix::pack(64, &values).unwrap();
    let mut row = vec![0.0; 64];
    for (index, expected) in values.chunks_exact(64).enumerate() {
        matrix.unpack_row(index, &mut row);
        assert!(row.iter().zip(expected).all(|(ours, theirs)| (ours - theirs).abs() < 0.02));
    }
}
