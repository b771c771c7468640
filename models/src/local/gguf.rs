//! A GGUF file: its settings, and its tensors on demand. The one door to candle's file reader.
//!
//! Nothing in the file is trusted: every length is compared with the file's before memory is taken for it.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};

use super::error::LocalErrorReason;

/// How much is read from the file at a time while its head is parsed: heads have many small fields.
const HEAD_BUFFER_BYTES: usize = 1 << 20;

/// An open GGUF file.
#[derive(Debug)]
pub(super) struct Gguf {
    content: Content,
    file: File,
    size_bytes: u64,
}

/// A tensor as it stands in the file.
#[derive(Debug)]
pub(super) struct RawTensor {
    pub(super) dtype: GgmlDType,
    /// Length of a row: neighbours in memory.
    pub(super) columns: usize,
    /// 1 for a vector.
    pub(super) rows: usize,
    pub(super) bytes: Vec<u8>,
}

impl Gguf {
    /// Opens the file and reads its head.
    ///
    /// # Errors
    /// When it is missing, not a GGUF file, or damaged in its head.
    pub(super) fn open(path: &Path) -> Result<Self, LocalErrorReason> {
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => LocalErrorReason::Missing,
            _ => LocalErrorReason::Unreadable(error),
        })?;
        let metadata = file.metadata().map_err(LocalErrorReason::Unreadable)?;
        if !metadata.is_file() {
            return Err(LocalErrorReason::NotGguf);
        }
        let mut reader = BufReader::with_capacity(HEAD_BUFFER_BYTES, file);
        let mut magic = [0; 4];
        match reader.read_exact(&mut magic) {
            Ok(()) if &magic == b"GGUF" => {}
            Ok(()) => return Err(LocalErrorReason::NotGguf),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(LocalErrorReason::NotGguf),
            Err(error) => return Err(LocalErrorReason::Unreadable(error)),
        }
        reader.rewind().map_err(LocalErrorReason::Unreadable)?;
        // The reader is careful with lengths, but a wrong alignment makes it divide by zero.
        let content = catch_unwind(AssertUnwindSafe(|| Content::read(&mut reader)))
            .map_err(|_| LocalErrorReason::Damaged("its head makes no sense".to_owned()))?
            .map_err(|error| LocalErrorReason::Damaged(first_line(&error)))?;
        Ok(Self { content, file: reader.into_inner(), size_bytes: metadata.len() })
    }

    /// Bytes of the whole file.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The head, for candle's tokenizer reader.
    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// A text setting.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.content.metadata.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A setting that is a whole number and not negative.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        whole(self.content.metadata.get(key)?)
    }

    /// A setting that is a fraction.
    pub(super) fn fraction(&self, key: &str) -> Option<f32> {
        match self.content.metadata.get(key)? {
            Value::F32(value) => Some(*value),
            _ => None,
        }
    }

    /// A setting that is yes or no.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.content.metadata.get(key)?.to_bool().ok()
    }

    /// A setting that is a list.
    pub(super) fn list(&self, key: &str) -> Option<&[Value]> {
        match self.content.metadata.get(key)? {
            Value::Array(values) => Some(values),
            _ => None,
        }
    }

    /// Whether the file has the tensor.
    pub(super) fn has_tensor(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// Numbers in all tensors together.
    pub(super) fn parameters(&self) -> u64 {
        let tensors = self.content.tensor_infos.values();
        let counts = tensors.map(|info| checked_product(info.shape.dims()).unwrap_or(0) as u64);
        counts.fold(0, u64::saturating_add)
    }

    /// Reads a tensor of one or two dimensions.
    ///
    /// # Errors
    /// When it is missing, has another number of dimensions, or does not lie inside the file.
    pub(super) fn tensor(&mut self, name: &str) -> Result<RawTensor, LocalErrorReason> {
        let damaged = |what: &str| LocalErrorReason::Damaged(format!("tensor {name} {what}"));
        let info = self.content.tensor_infos.get(name).ok_or_else(|| damaged("is missing"))?;
        let (rows, columns) = match *info.shape.dims() {
            [columns] => (1, columns),
            [rows, columns] => (rows, columns),
            _ => return Err(damaged("has a wrong number of dimensions")),
        };
        let dtype = info.ggml_dtype;
        let start = self.content.tensor_data_offset.checked_add(info.offset);
        if columns == 0 || !columns.is_multiple_of(dtype.block_size()) {
            return Err(damaged("has rows of a wrong length"));
        }
        let size = rows
            .checked_mul(columns / dtype.block_size())
            .and_then(|blocks| blocks.checked_mul(dtype.type_size()))
            .and_then(|size| u64::try_from(size).ok());
        let (Some(start), Some(size)) = (start, size) else { return Err(damaged("is too large")) };
        if start.checked_add(size).is_none_or(|end| end > self.size_bytes) {
            return Err(damaged("ends past the end of the file"));
        }
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| damaged("is too large"))?];
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(LocalErrorReason::Unreadable)?;
        Ok(RawTensor { dtype, columns, rows, bytes })
    }
}

impl RawTensor {
    /// The plain numbers, row by row.
    ///
    /// # Errors
    /// When candle cannot unpack the tensor's type.
    pub(super) fn unpack(&self) -> Result<Vec<f32>, LocalErrorReason> {
        let unpack = || -> candle_core::Result<Vec<f32>> {
            let storage = QStorage::from_data((&self.bytes).into(), &Device::Cpu, self.dtype)?;
            let tensor: Tensor =
                QTensor::new(storage, (self.rows, self.columns))?.dequantize(&Device::Cpu)?;
            tensor.flatten_all()?.to_vec1()
        };
        unpack().map_err(|error| LocalErrorReason::Unsupported(first_line(&error)))
    }
}

/// A whole number of any width, if it is not negative.
pub(super) fn whole(value: &Value) -> Option<u64> {
    match *value {
        Value::U8(value) => Some(value.into()),
        Value::U16(value) => Some(value.into()),
        Value::U32(value) => Some(value.into()),
        Value::U64(value) => Some(value),
        Value::I8(value) => value.try_into().ok(),
        Value::I16(value) => value.try_into().ok(),
        Value::I32(value) => value.try_into().ok(),
        Value::I64(value) => value.try_into().ok(),
        _ => None,
    }
}

fn checked_product(factors: &[usize]) -> Option<usize> {
    factors.iter().try_fold(1_usize, |product, factor| product.checked_mul(*factor))
}

/// Candle's errors may carry a backtrace in further lines.
pub(super) fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
