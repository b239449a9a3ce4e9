import { describe, expect, test } from 'vitest';
import { byteCursor, LayoutError, memoryReader, type Reader } from '../src/index.ts';
import { watchedReader } from '../src/testing.ts';

const { signal } = new AbortController();
const limits = { largestRead: 1 << 25, totalBytes: 1 << 26, reads: 1000 };
const readerOf = (length: number): Reader =>
  memoryReader(
    'a',
    Uint8Array.from({ length }, (_, at) => at),
  );

describe('byteCursor', () => {
  test('reads numbers in either order', async () => {
    const cursor = byteCursor(readerOf(64), { format: 'test', signal });
    await cursor.need(15);
    expect(cursor.u8()).toBe(0);
    expect(cursor.u16(true)).toBe(0x0201);
    expect(cursor.u32(false)).toBe(0x03040506);
    expect(cursor.u64(true)).toBe(0x0e0d0c0b0a090807n);
    expect([...cursor.take(2)]).toEqual([15, 16]);
    expect(cursor.offset()).toBe(17);
  });

  test('reads a window once, and nothing of what is skipped', async () => {
    const reader = watchedReader(readerOf(1 << 22), limits);
    const cursor = byteCursor(reader, { format: 'test', signal });
    for (let at = 0; at < 1000; at += 1) {
      await cursor.need(8);
      cursor.u64(true);
    }
    expect(reader.reads()).toBe(1);
    cursor.skip(1 << 21);
    await cursor.need(1);
    expect(cursor.u8()).toBe((8000 + (1 << 21)) & 255);
    expect(reader.reads()).toBe(2);
    expect(reader.violations).toEqual([]);
  });

  test('takes bytes that lie across windows', async () => {
    const cursor = byteCursor(readerOf(1 << 18), { format: 'test', signal });
    await cursor.need(1);
    cursor.skip((1 << 16) - 2);
    await cursor.need(4);
    expect([...cursor.take(4)]).toEqual([254, 255, 0, 1]);
  });

  test('tells the end of the file from the end of what may be read', async () => {
    const whole = byteCursor(readerOf(10), { format: 'test', signal });
    await expect(whole.need(11)).rejects.toMatchObject({ code: 'test/truncated', offset: 0 });
    const part = byteCursor(readerOf(10), { format: 'test', signal, start: 2, end: 6 });
    expect(part.remaining()).toBe(4);
    await expect(part.need(5)).rejects.toMatchObject({ code: 'test/header-too-large', offset: 2 });
    expect(() => part.skip(2n ** 64n)).toThrow(LayoutError);
    part.skip(4);
    expect(part.remaining()).toBe(0);
  });

  test('refuses to read what was not asked for first', () => {
    const cursor = byteCursor(readerOf(10), { format: 'test', signal });
    expect(() => cursor.u32(true)).toThrow(/expected need\(4\)/);
  });

  test('refuses a reader that gives less', async () => {
    const short: Reader = { ...readerOf(10), read: async () => new Uint8Array(3) };
    await expect(byteCursor(short, { format: 'test', signal }).need(4)).rejects.toThrow('expected 10 bytes');
  });
});
