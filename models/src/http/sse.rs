//! Server-sent events, decoded from bytes as they arrive.
//!
//! Own code and not a crate: the one at hand panics on a byte order mark, has no bound on a line, and copies its
//! whole buffer for every event.
//!
//! Source: WHATWG HTML, section 9.2.5 and 9.2.6. One deviation: what stands in the buffer when the connection ends is
//! dispatched too, since some servers leave out the last empty line.

use super::LINE_BYTES_MAX;
use super::framing::FrameError;

/// Decodes the data of events; their names, ids and retry times have no use here.
#[derive(Debug, Default)]
pub(super) struct SseDecoder {
    /// The line that has begun.
    line: Vec<u8>,
    /// The data of the event that has begun, and whether it has any.
    data: String,
    has_data: bool,
    /// Whether the last byte was a carriage return, so that a line feed after it ends no further line.
    after_return: bool,
    /// Whether the first line is behind us: a byte order mark may stand in front of it only.
    begun: bool,
}

impl SseDecoder {
    /// Takes bytes and gives the data of every event that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, FrameError> {
        let mut events = Vec::new();
        let mut rest = bytes;
        if self.after_return && !rest.is_empty() {
            self.after_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend_line(&rest[..end])?;
            events.extend(self.end_line()?);
            let is_return = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if is_return {
                self.after_return = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.extend_line(rest)?;
        Ok(events)
    }

    /// Ends the stream and gives the data that had not been completed.
    pub(super) fn finish(mut self) -> Result<Option<String>, FrameError> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        Ok(self.has_data.then_some(self.data))
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.line.len() + self.data.len() + bytes.len() > LINE_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<String>, FrameError> {
        let line = std::mem::take(&mut self.line);
        let mut line = std::str::from_utf8(&line).map_err(|_| FrameError::NotUtf8)?;
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Ok(std::mem::take(&mut self.has_data).then_some(data));
        }
        // A comment begins with a colon, so its field has no name and is skipped like any unknown one.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            if self.has_data {
                self.data.push('\n');
            }
            self.has_data = true;
            self.data.push_str(value.strip_prefix(' ').unwrap_or(value));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
