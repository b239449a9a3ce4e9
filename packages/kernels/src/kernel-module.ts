/** The compiled kernels: once a process is enough, since a message hands the module to another thread. */
import { readFileSync } from 'node:fs';

declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => KernelModule };

/** A `WebAssembly.Module`. */
export type KernelModule = object;

/** Reads and compiles the kernels, which the build left in `dist`. */
export function kernelModule(): KernelModule {
  // A subpath of the package, resolved by Node: it holds in sources, in emitted code and in a bundle, where a path
  // relative to this file would not.
  return new WebAssembly.Module(readFileSync(new URL(import.meta.resolve('@mbk/kernels/kernels.wasm'))));
}
