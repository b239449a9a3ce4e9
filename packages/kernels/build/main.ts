/** Writes dist/kernels.wasm. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileKernels } from './compile.ts';

const dist = join(import.meta.dirname, '..', 'dist');
await mkdir(dist, { recursive: true });
// Whoever loads the kernels meanwhile finds the old ones or the new ones.
await writeFile(join(dist, 'kernels.wasm.new'), await compileKernels());
await rename(join(dist, 'kernels.wasm.new'), join(dist, 'kernels.wasm'));
