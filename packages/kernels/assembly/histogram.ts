/** Bytes of one table: 256 counters of 32 bits. */
const tableBytes: usize = 1024;

function countIn(table: usize, byte: u8): void {
  const counter = table + ((<usize>byte) << 2);
  store<u32>(counter, load<u32>(counter) + 1);
}

/**
 * Counts the bytes of [start, end) into 256 counters of 32 bits at `tables`, and needs three more such tables behind
 * them: neighbours count in different tables, so equal ones need not wait for each other.
 */
export function histogram(tables: usize, start: usize, end: usize): void {
  const second = tables + tableBytes;
  const third = second + tableBytes;
  const fourth = third + tableBytes;
  memory.fill(tables, 0, 4 * tableBytes);
  let at = start;
  while (at + 8 <= end) {
    countIn(tables, load<u8>(at));
    countIn(second, load<u8>(at, 1));
    countIn(third, load<u8>(at, 2));
    countIn(fourth, load<u8>(at, 3));
    countIn(tables, load<u8>(at, 4));
    countIn(second, load<u8>(at, 5));
    countIn(third, load<u8>(at, 6));
    countIn(fourth, load<u8>(at, 7));
    at += 8;
  }
  while (at < end) {
    countIn(tables, load<u8>(at));
    at += 1;
  }
  for (let offset: usize = 0; offset < tableBytes; offset += 16) {
    const low = i32x4.add(v128.load(tables + offset), v128.load(second + offset));
    const high = i32x4.add(v128.load(third + offset), v128.load(fourth + offset));
    v128.store(tables + offset, i32x4.add(low, high));
  }
}
