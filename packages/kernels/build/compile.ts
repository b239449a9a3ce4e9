/** Compiles the kernels from their AssemblyScript sources; the same sources give the same bytes. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import asc from 'assemblyscript/asc';

/** The package's folder, where `assembly` lies. */
const folder = dirname(import.meta.dirname);

/** The module's bytes. */
export async function compileKernels(): Promise<Uint8Array> {
  const written: Uint8Array[] = [];
  const complaints: string[] = [];
  const { error } = await asc.main([...flags, '--outFile', 'kernels.wasm', 'assembly/index.ts'], {
    readFile: (name, base) => readFile(join(base, name), 'utf8').catch(() => null),
    writeFile: (_name, contents) => {
      written.push(typeof contents === 'string' ? new TextEncoder().encode(contents) : contents);
    },
    listFiles: () => null,
    stderr: {
      write(text) {
        complaints.push(typeof text === 'string' ? text : new TextDecoder().decode(text));
      },
    },
  });
  if (error !== null) throw new Error(`the kernels do not compile:\n${complaints.join('')}`, { cause: error });
  const [bytes] = written;
  if (bytes === undefined || written.length > 1) throw new Error(`expected one module, got ${written.length}`);
  return bytes;
}

const flags = [
  ['--baseDir', folder],
  ['--enable', 'simd,threads,relaxed-simd'],
  // Nothing is allocated, and there is no data: many instances share one memory.
  ['--runtime', 'stub'],
  ['--importMemory', '--sharedMemory', '--noExportMemory'],
  // 2 GiB less one page, the bound of kernelMemory: every offset is a positive number of 32 bits.
  ['--initialMemory', '1', '--maximumMemory', '32767'],
  ['--optimizeLevel', '3', '--noAssert'],
].flat();
