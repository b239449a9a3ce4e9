/** The memory that the kernels of all threads share. */

declare const WebAssembly: {
  readonly Memory: new (descriptor: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => KernelMemory;
};

/** A `WebAssembly.Memory` that is shared and never grows; a message hands it to another thread. */
export interface KernelMemory {
  readonly buffer: SharedArrayBuffer;
}

const pageBytes = 65_536;

/** Kernels take offsets as positive numbers of 32 bits, and those behind the last byte are among them. */
const maximumPages = 32_767;

/**
 * A shared memory of at least `bytes`, in whole pages of 64 KiB, all zero.
 *
 * `RangeError` above 2 GiB less one page, and when the machine has no room for it.
 */
export function kernelMemory(bytes: number): KernelMemory {
  const pages = Math.ceil(bytes / pageBytes);
  if (!(pages >= 1 && pages <= maximumPages)) {
    throw new RangeError(`expected 1 to ${maximumPages * pageBytes} bytes of memory, got ${bytes}`);
  }
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
