/** A domain that may be named as an argument or, as everywhere, by `--domain`. */

import { MbkError } from '@mbk/core';

/** Errors: `usage-invalid` when both name one and differ. */
export function oneDomain(argument: string | undefined, flag: string | undefined): string | undefined {
  if (argument === undefined || flag === undefined || argument === flag) return argument ?? flag;
  throw new MbkError('usage-invalid', `two domains are named: ${argument} and --domain ${flag}`, {
    remedy: 'Name one, or none for all.',
  });
}
