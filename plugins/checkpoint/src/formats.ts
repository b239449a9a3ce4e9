/** What a file is by its first bytes, whatever its name says; and what its name says. */

import type { Reader } from '@mbk/plugin-sdk';

export type Format = 'zip' | 'safetensors' | 'npy' | 'legacy' | 'pickle' | 'onnx' | 'other' | 'empty';

/** `torch.save` before 1.6 begins with the pickle of this number (torch/serialization.py, MAGIC_NUMBER). */
const legacyMagic = '80028a0a6cfc9c46f9206aa850192e';

/** Formats that no loader of checkpoints takes, by their first bytes in hexadecimal. */
const others: readonly string[] = [
  '377abcaf271c',
  '89484446',
  '47475546',
  '7f454c46',
  '4d5a',
  '25504446',
  '1f8b',
  '425a68',
];

export async function formatOf(reader: Reader, signal: AbortSignal): Promise<Format> {
  if (reader.size === 0) return 'empty';
  const head = Buffer.from(await reader.read(0, Math.min(reader.size, 64), { signal }));
  const hex = head.toString('hex');
  if (/^504b(?:0304|0506|0708)/.test(hex)) return 'zip';
  if (hex.startsWith('934e554d5059')) return 'npy';
  if (hex.startsWith(legacyMagic)) return 'legacy';
  // A header's length below 100 MB, then JSON.
  if (head.length >= 9 && head[8] === 0x7b && head.readUInt32LE(4) === 0 && head.readUInt32LE(0) <= 100_000_000) {
    return 'safetensors';
  }
  if (head[0] === 0x80 && (head[1] ?? 99) <= 5) return 'pickle';
  if (others.some((magic) => hex.startsWith(magic))) return 'other';
  // ir_version, then producer or graph.
  if (head[0] === 0x08 && (head[1] ?? 0) < 0x40 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(head[2] ?? 0))
    return 'onnx';
  return isTextPickle(head) ? 'pickle' : 'other';
}

/** Protocols 0 and 1 have no magic: an opcode that can come first, and what belongs to it. */
function isTextPickle(head: Buffer): boolean {
  const text = head.toString('latin1');
  return /^(?:c[\w.]+\n[\w.]+\n|\(|\]|\}|[IFLSVP][^\n]*\n|[NKMJGTUX)])/s.test(text) && !/^\(\w+ |^[\]}]\s*$/.test(text);
}

const pytorch = ['.pt', '.pth', '.ckpt', '.bin', '.jit', '.ptl', '.pt2'];
const pickles = ['.pkl', '.pickle', '.joblib'];

/** The formats that a name promises; undefined where it promises none. */
export function promisedFormats(path: string): readonly Format[] | undefined {
  const lower = path.toLowerCase();
  const ends = (endings: readonly string[]): boolean => endings.some((ending) => lower.endsWith(ending));
  if (ends(['.safetensors'])) return ['safetensors'];
  if (ends(['.npz'])) return ['zip'];
  if (ends(['.npy'])) return ['npy'];
  if (ends(['.onnx'])) return ['onnx'];
  if (ends(pytorch)) return ['zip', 'legacy', 'pickle'];
  if (ends(pickles)) return ['pickle', 'legacy', 'zip'];
  return undefined;
}
