/** `--jobs`, the same for every command that can use many cores. */
import { Flags } from './oclif.ts';

export const jobsFlag = Flags.integer({
  char: 'j',
  description: 'Threads, 1 for none; unless given, one for each core as soon as there is enough to do.',
  min: 1,
  max: 1024,
});

/** What an operation is told: who asks for threads gets them, however little there is to do. */
export function threadOptions(jobs: number | undefined): { readonly jobs?: number; readonly threadsFrom?: number } {
  return jobs === undefined ? {} : { jobs, threadsFrom: 0 };
}
