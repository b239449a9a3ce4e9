/** Files under names of any bytes, for the tests of walks and checkouts. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { bufferOfBytes, type ByteString } from '../../src/format/byte-name.ts';

/** Names that programs stumble over. */
export const hostileNames: readonly ByteString[] = [
  '\xff\xfe not UTF-8',
  'new\nline',
  '-rf',
  '--',
  '%41',
  '..x',
  '...',
  ' ',
  '*',
  '"quoted"',
  "it's",
  'a\\b',
  '\x01\x7f',
  '\xc3\xb6',
  '~',
  'x'.repeat(255),
];

export function write(root: ByteString, path: ByteString, content: string | Uint8Array = ''): void {
  fs.writeFileSync(bufferOfBytes(`${root}/${path}`), content);
}

export function makeFolder(root: ByteString, path = ''): void {
  fs.mkdirSync(bufferOfBytes(`${root}/${path}`), { recursive: true });
}

export function symlink(root: ByteString, path: ByteString, target: ByteString): void {
  fs.symlinkSync(bufferOfBytes(target), bufferOfBytes(`${root}/${path}`));
}

/** Runs `call` as a user who is not root, so that modes mean something; `folder` and the folders above are let open. */
export function withoutPrivileges<T>(folder: string, call: () => T): T {
  if (process.geteuid?.() !== 0) return call();
  // The temporary folder above belongs to root alone.
  fs.chmodSync(dirname(folder), 0o755);
  process.seteuid?.(65_534);
  try {
    return call();
  } finally {
    process.seteuid?.(0);
  }
}

/** A folder that any user may change. */
export function openFolder(path: string): string {
  fs.mkdirSync(path);
  fs.chmodSync(path, 0o777);
  return path;
}
