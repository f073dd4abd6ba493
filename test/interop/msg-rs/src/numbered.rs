//! Payloads that tell which one they are: 8 bytes of number, then bytes that follow from it.

use bytes::Bytes;

const NUMBER_BYTES: usize = 8;

/// The payload of a number; at least 8 bytes.
pub fn payload(number: u64, size: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(size.max(NUMBER_BYTES));
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend((NUMBER_BYTES..size).map(|index| (number as usize).wrapping_add(index) as u8));
    Bytes::from(bytes)
}

/// The number of a payload; nothing when it is not one that `payload` made.
pub fn number_of(bytes: &[u8]) -> Option<u64> {
    let (head, tail) = bytes.split_at_checked(NUMBER_BYTES)?;
    let number = u64::from_be_bytes(head.try_into().ok()?);
    let is_right = |(index, byte): (usize, &u8)| {
        *byte == (number as usize).wrapping_add(NUMBER_BYTES + index) as u8
    };
    tail.iter().enumerate().all(is_right).then_some(number)
}

/// Which numbers were there, as ranges; numbers mostly come in order.
#[derive(Default)]
pub struct Seen {
    ranges: Vec<(u64, u64)>,
    pub repeated: u64,
    pub disordered: u64,
}

impl Seen {
    pub fn add(&mut self, number: u64) {
        match self.ranges.last_mut() {
            Some((_, last)) if number == *last + 1 => *last = number,
            Some((_, last)) if number <= *last => self.add_late(number),
            _ => self.ranges.push((number, number)),
        }
    }

    fn add_late(&mut self, number: u64) {
        let place = self.ranges.partition_point(|(_, last)| *last < number);
        if self.ranges[place].0 <= number {
            self.repeated += 1;
        } else {
            self.disordered += 1;
            self.ranges.insert(place, (number, number));
        }
    }

    /// A JSON array of the first and the last of each range.
    pub fn json(&self) -> String {
        let ranges = self
            .ranges
            .iter()
            .map(|(first, last)| format!("[{first},{last}]"));
        format!("[{}]", ranges.collect::<Vec<_>>().join(","))
    }
}
