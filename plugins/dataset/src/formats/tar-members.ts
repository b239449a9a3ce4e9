/** The members of a tar file, each with a hash of its data: for differences. What is broken ends the walk. */

import { hashRecord } from '../records/record-hash.ts';
import { shown } from '../records/utf8.ts';
import type { RecordSeen } from '../record-stream.ts';
import { tarWalk } from './tar-walk.ts';

export function scanTar(onRecord: (record: RecordSeen) => void): { push(piece: Uint8Array): void; end(): void } {
  let name = '';
  let content = 0;
  let isOpen = false;
  const finish = (): void => {
    if (!isOpen) return;
    isOpen = false;
    const own = name;
    onRecord({ key: hashRecord(new TextEncoder().encode(own)).high, content, name: () => `member ${shown(own)}` });
  };
  const walk = tarWalk({
    member(found) {
      finish();
      isOpen = found.isFile;
      name = found.name;
      content = hashRecord(new TextEncoder().encode(`${found.name} ${found.size}`)).low;
    },
    data(bytes) {
      // Byte by byte, so that it does not depend on how the bytes arrive.
      for (const byte of bytes) {
        content = Math.imul(content ^ byte, 0x01000193);
        content = (content ^ (content >>> 15)) >>> 0;
      }
    },
    broken: () => undefined,
  });
  return {
    push: (piece) => walk.push(piece),
    end() {
      walk.end();
      finish();
    },
  };
}
