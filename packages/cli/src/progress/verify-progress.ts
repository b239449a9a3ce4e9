/** How far a verification is: one phase after the other, of which reading packs is the only long one. */

import type { VerifyEvent } from '@mbk/core';
import type { InterruptionAdvice } from '../interruption.ts';
import { formatCount } from '../quantities.ts';
import { bytesText, countText, leftText, paceFields, percentText, speedText } from './facts.ts';
import type { ReadProgress } from './live-line.ts';
import { startMeter } from './meter.ts';
import type { Meter } from './meter.ts';

export type VerifyProgress = Extract<VerifyEvent, { readonly type: 'progress' }>;

const phases: Readonly<Record<VerifyProgress['phase'], readonly [one: string, many: string]>> = {
  keys: ['key slot', 'key slots'],
  log: ['log entry', 'log entries'],
  index: ['index segment', 'index segments'],
  snapshots: ['snapshot', 'snapshots'],
  packs: ['pack', 'packs'],
  dependents: ['snapshot searched for what the damage reaches', 'snapshots searched for what the damage reaches'],
};

const none: VerifyProgress = { type: 'progress', phase: 'keys', done: 0, total: 0, bytes: 0, totalBytes: 0, errors: 0 };

/** Reads what `latest` gives, which is undefined at first. */
export function verifyProgress(latest: () => VerifyProgress | undefined, now: () => number): ReadProgress {
  let meter: Meter | undefined;
  return () => {
    const { phase, done, total, bytes, totalBytes, errors } = latest() ?? none;
    const isReading = totalBytes > 0;
    // Its clock starts with the bytes: what came before says nothing of their pace.
    if (isReading) meter ??= startMeter(now);
    const pace = isReading ? (meter?.(bytes, totalBytes) ?? idle) : idle;
    const [one, many] = phases[phase];
    return {
      view: {
        facts: [
          isReading ? percentText(bytes, totalBytes) : '',
          leftText(pace),
          countText(done, total, one, many),
          isReading ? bytesText(bytes, totalBytes) : '',
          speedText(pace),
          errors > 0 ? formatCount(errors, 'error') : '',
        ],
      },
      fields: { phase, done, total, bytes, totalBytes: isReading ? totalBytes : null, errors, ...paceFields(pace) },
    };
  };
}

const idle = { elapsedMs: 0, perSecond: undefined, leftMs: undefined };

/** What an interruption of a verification leaves. */
export function adviseOnVerify(progress: VerifyProgress | undefined): InterruptionAdvice {
  const { phase, done, total, errors } = progress ?? none;
  const [one, many] = phases[phase];
  const found =
    errors === 0 ? 'nothing wrong was found' : `${formatCount(errors, 'error')} ${errors === 1 ? 'was' : 'were'} found`;
  return {
    kept: `it had come to ${countText(done, total, one, many)}, and ${found} until then`,
    goOn: 'It changes nothing in the repository. Run it again for an answer that holds; it begins anew.',
    details: { phase, done, total, errors },
  };
}
