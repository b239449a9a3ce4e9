import { expect, test } from 'vitest';
import { parameters } from '../../src/format/limits.ts';
import { newMemory, pieceMemory } from '../../src/pack/piece-memory.ts';

const { pieceBytes } = parameters;

test('memory of a piece is used again, for pieces of other lengths too, and more than is to be kept is let go', () => {
  const memory = pieceMemory(1);
  const [first, second] = [memory.take(pieceBytes), memory.take(pieceBytes - 34)];
  expect([first.length, second.length]).toEqual([pieceBytes, pieceBytes - 34]);
  first.fill(1);
  second.fill(2);
  memory.give(second);
  memory.give(first);
  const again = memory.take(pieceBytes - 1);
  expect([again.length, again[0]]).toEqual([pieceBytes - 1, 2]);
  expect(memory.take(pieceBytes)[0]).toBe(0);
});

test('who uses a piece that was given back, or gives it twice, does not meet the one that has it now', () => {
  const memory = pieceMemory(2);
  const given = memory.take(pieceBytes);
  memory.give(given);
  memory.give(given);
  const [next, other] = [memory.take(pieceBytes), memory.take(pieceBytes)];
  next.fill(1);
  expect([given.length, other[0]]).toEqual([0, 0]);
});

test('what is much smaller than a piece, or larger, has memory of its own', () => {
  const memory = pieceMemory(1);
  for (const length of [0, 1, pieceBytes / 2, pieceBytes + 1]) {
    const bytes = memory.take(length);
    expect([bytes.length, bytes.buffer.byteLength]).toEqual([length, length]);
    bytes.fill(1);
    memory.give(bytes);
    expect(memory.take(pieceBytes)[0]).toBe(0);
  }
});

test('a part of memory that others may hold is not taken for a piece of its own', () => {
  const memory = pieceMemory(1);
  const shared = new Uint8Array(new SharedArrayBuffer(pieceBytes));
  memory.give(shared);
  expect(shared.length).toBe(pieceBytes);
  expect(memory.take(pieceBytes).buffer).not.toBe(shared.buffer);
  const fresh = newMemory.take(pieceBytes);
  newMemory.give(fresh);
  expect(fresh.length).toBe(0);
});
