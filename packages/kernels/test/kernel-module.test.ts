import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileKernels } from '../build/compile.ts';

test('the module is what its sources compile to, each time to the same bytes', async () => {
  const built = readFileSync(new URL(import.meta.resolve('@mbk/kernels/kernels.wasm')));
  const [one, other] = [await compileKernels(), await compileKernels()];
  expect(Buffer.compare(one, other)).toBe(0);
  expect(Buffer.compare(built, one), 'dist/kernels.wasm is not built from these sources: npm run build').toBe(0);
});

test('instances share nothing but the memory: the module brings no data and no code that starts by itself', () => {
  const module = readFileSync(new URL(import.meta.resolve('@mbk/kernels/kernels.wasm')));
  const ids = { start: 8, data: 11, dataCount: 12 };
  const sections = sectionsOf(module);
  expect(sections.length).toBeGreaterThan(4);
  for (const id of Object.values(ids)) expect(sections).not.toContain(id);
});

/** The ids of the sections of a WebAssembly module: after 8 bytes of header, an id and a LEB128 size before each. */
function sectionsOf(module: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < module.length;) {
    ids.push(module[at] ?? 0);
    let size = 0;
    let byte: number;
    let bits = 0;
    do {
      at += 1;
      byte = module[at] ?? 0;
      size += (byte & 0x7f) << bits;
      bits += 7;
    } while (byte >= 0x80);
    at += 1 + size;
  }
  return ids;
}
