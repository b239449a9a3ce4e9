/** How far a checkout is; the plan says where it ends. */

import type { CheckoutPlan, CheckoutProgress, CheckoutRequest } from '@mbk/core';
import { escapeName, escapePath } from '../escape.ts';
import type { InterruptionAdvice } from '../interruption.ts';
import { formatCount } from '../quantities.ts';
import { shellWord } from '../shell-word.ts';
import { fileFacts, paceFields } from './facts.ts';
import type { ReadProgress } from './live-line.ts';
import { startMeter } from './meter.ts';

/** Reads what `latest` gives, which is undefined before the first file. */
export function checkoutProgress(
  { files: totalFiles, bytes: totalBytes }: Pick<CheckoutPlan, 'files' | 'bytes'>,
  latest: () => CheckoutProgress | undefined,
  now: () => number,
): ReadProgress {
  const meter = startMeter(now);
  return () => {
    const { files = 0, bytes = 0, path = '' } = latest() ?? {};
    const pace = meter(bytes, totalBytes);
    return {
      view: {
        facts: fileFacts({ files, bytes }, { files: totalFiles, bytes: totalBytes }, pace),
        path: escapeName(Buffer.from(path, 'latin1')),
      },
      fields: { files, totalFiles, bytes, totalBytes, ...paceFields(pace) },
    };
  };
}

/** What an interruption of a checkout leaves, and the command that goes on with it. */
export function adviseOnCheckout(
  { target, files: totalFiles }: Pick<CheckoutPlan, 'target' | 'files'>,
  { revision, paths, overwrite = 'newer' }: Pick<CheckoutRequest, 'revision' | 'paths' | 'overwrite'>,
  { files = 0 }: Partial<CheckoutProgress> = {},
): InterruptionAdvice {
  const folder = escapePath(target);
  const words = ['mbk', 'checkout', revision, ...paths, '--to', folder, '--overwrite', overwrite];
  return {
    kept:
      files === 0
        ? `nothing is in ${folder} yet`
        : `${files} of ${formatCount(totalFiles, 'file')} ${files === 1 ? 'is' : 'are'} whole in ${folder} and stay there; no other is`,
    goOn: `Go on with: ${words.map(shellWord).join(' ')}`,
    details: { target, files, totalFiles },
  };
}
