/** Who passes the suite of kernels.test.ts: every implementation, with bytes where it may find them. */
import { kernelMemory, kernelScratchBytes, type Kernels, memoryKernels, twinKernels } from '../src/index.ts';

export interface Implementation {
  readonly name: string;
  readonly kernels: Kernels;
  /** Puts a copy of `bytes` where this implementation is to find it, `shift` bytes from a round offset. */
  place(bytes: Uint8Array, shift: number): Uint8Array;
}

export function implementations(): readonly Implementation[] {
  const wasm = memoryKernels(kernelMemory(1_048_576), { scratch: 0 });
  const elsewhere = (bytes: Uint8Array): Uint8Array => bytes.slice();
  return [
    { name: 'plain TypeScript', kernels: twinKernels, place: elsewhere },
    {
      name: 'WebAssembly',
      kernels: wasm,
      place(bytes, shift) {
        // Whatever lies beside the range must not matter.
        wasm.bytes.fill(0xff, kernelScratchBytes);
        const offset = kernelScratchBytes + 64 + shift;
        wasm.bytes.set(bytes, offset);
        return wasm.bytes.subarray(offset, offset + bytes.length);
      },
    },
    { name: 'WebAssembly, with bytes outside its memory', kernels: wasm, place: elsewhere },
  ];
}
