import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileWindow } from '../../src/snapshot/file-window.ts';

const size = 64;

test('what is lent is never written over, and what is needed is kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ read: fc.integer({ min: 1, max: 16 }), cut: fc.nat(40), ticks: fc.nat(6) }), {
        maxLength: 60,
      }),
      async (steps) => {
        const file = Uint8Array.from({ length: 1024 }, (_, at) => (at * 7) & 255);
        const window = fileWindow(new Uint8Array(size));
        let end = 0;
        let cut = 0;
        for (const { read, cut: length, ticks } of steps) {
          // Uncut bytes and a read must fit the window together.
          if (end - cut + read > size || end + read > file.length) continue;
          const room = await window.room(cut, end, read);
          room.set(file.subarray(end, end + read));
          end += read;
          const piece = Math.min(length, end - cut);
          if (piece === 0) continue;
          const view = window.view(cut, piece);
          const expected = file.subarray(cut, cut + piece);
          const use = async (): Promise<void> => {
            for (let tick = 0; tick < ticks; tick += 1) {
              expect(view).toEqual(expected);
              await Promise.resolve();
            }
            expect(view).toEqual(expected);
          };
          window.lend(view, use());
          cut += piece;
        }
        await window.returned();
      },
    ),
  );
});

test('a store that fails returns what it was lent', async () => {
  const window = fileWindow(new Uint8Array(8));
  (await window.room(0, 0, 8)).fill(1);
  window.lend(window.view(0, 8), Promise.reject(new Error('no room')));
  await window.returned();
  expect((await window.room(8, 8, 8)).length).toBe(8);
});

test('more than fits is a programming mistake', async () => {
  const window = fileWindow(new Uint8Array(8));
  await window.room(0, 0, 8);
  await expect(window.room(4, 8, 8)).rejects.toThrow(RangeError);
});

test('no more than is preferred is used where what is kept leaves room there, and all of it where not', async () => {
  const buffer = new Uint8Array(64);
  const window = fileWindow(buffer, 24);
  const ends: number[] = [];
  let end = 0;
  for (const needed of [0, 6, 14, 20, 20, 20]) {
    const room = await window.room(needed, end, 8);
    ends.push(room.byteOffset + room.length);
    end += 8;
  }
  // The last two no longer fit beside what has been kept from 20 on.
  expect(ends).toEqual([8, 16, 24, 12, 20, 28]);
});
