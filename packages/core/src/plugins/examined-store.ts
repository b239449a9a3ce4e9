/**
 * What plugins said of contents, by plugin, version, options and SHA-256: so that a file that was moved, touched, restored
 * or stored before is not examined again. One small file each, under the name of a hash over all that it depends on;
 * losing one costs time, and one that is damaged is as good as lost.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { isMbkError } from '../errors.ts';
import { errnoOf } from '../backend/local-file-system.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { readReport, type AssetReport } from '../format/asset-line.ts';
import { utf8 } from '../format/bytes.ts';
import { readFields } from '../format/fields.ts';

export interface ExaminedStore {
  /** `circumstances` is all but the content that the report depends on. */
  get(circumstances: string, sha256: string): AssetReport | undefined;
  put(circumstances: string, sha256: string, report: AssetReport): void;
}

/** Bytes of a report that is read: facts and findings at their limits, and room. */
const mostBytes = 2_097_152;

/** In `folder`, which is made for its owner only. Errors of the file system are told to nobody: it forgets. */
export function examinedStore(folder: string): ExaminedStore {
  const placeOf = (circumstances: string, sha256: string): string => {
    const name = sha256Hex(utf8(`${circumstances}\n${sha256}`));
    return join(folder, name.slice(0, 2), name);
  };
  return {
    get(circumstances, sha256) {
      try {
        const place = placeOf(circumstances, sha256);
        if (fs.statSync(place).size > mostBytes) return undefined;
        const text = fs.readFileSync(place, 'utf8');
        const sum = text.slice(0, 64);
        const body = text.slice(65);
        if (sum !== sha256Hex(utf8(body))) return undefined;
        const { plugin, ...report } = readReport(readFields(JSON.parse(body), 'a report'));
        return plugin === undefined ? undefined : { plugin, ...report };
      } catch (error) {
        if (errnoOf(error) !== undefined || isMbkError(error, 'value-invalid')) return undefined;
        throw error;
      }
    },
    put(circumstances, sha256, report) {
      const body = JSON.stringify(report);
      const place = placeOf(circumstances, sha256);
      try {
        fs.mkdirSync(join(place, '..'), { recursive: true, mode: 0o700 });
        // A torn file does not have its sum, and is written again.
        fs.writeFileSync(place, `${sha256Hex(utf8(body))}\n${body}`, { mode: 0o600 });
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
      }
    },
  };
}
