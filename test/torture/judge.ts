/** What must hold after an operation was cut short, whatever cut it. */
import { isMbkError } from '@mbk/core';
import { join } from 'node:path';
import { examine, isAbsent } from './examine.ts';
import type { RowOptions } from './row.ts';
import { doneBefore, operations, type Site } from './site.ts';
import { missingEffect, type Stage } from './stages.ts';
import { storyOf } from './tally.ts';

/** The repository as another host sees it; then the operation again by the same host, and what came of it. */
export async function judge(
  stage: Stage,
  site: Site,
  { tally, folder }: Pick<RowOptions, 'tally' | 'folder'>,
  where: string,
): Promise<void> {
  const { operation, current } = stage;
  const ledger = new Map(stage.ledger);
  const about = { tally, ledger, current, scratch: folder };
  const stranger = { ...site, host: join(folder, 'stranger') };
  const mayBeAbsent = operation === 'init' && (await isAbsent(site.backend));
  if (!mayBeAbsent) await examine(stranger, { ...about, where });

  const repeated = `${where}, then again`;
  try {
    await operations[operation](site);
  } catch (error) {
    const wasDone = !mayBeAbsent && isMbkError(error) && error.code === doneBefore[operation];
    if (!wasDone) tally.fault('amiss', `${repeated}: ${storyOf(error)}`);
  }
  // Every byte was read, and every snapshot restored, a moment ago.
  const examined = await examine(site, { ...about, where: repeated, data: false, all: false });
  const missing = examined === undefined ? undefined : missingEffect(stage, examined, ledger);
  if (missing !== undefined) tally.fault('lost', `${repeated}: ${missing}`);
}
