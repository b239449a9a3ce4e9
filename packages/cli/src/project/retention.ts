/** Retention of `mbk.yaml`, as a snapshot records it: the rule in words, and the lifetime of the packs it goes to. */

import type { Lifetime } from '@mbk/core';
import type { ProjectConfig, Retention } from './config.ts';

/** Longest that counts as short, in days: packs of the same lifetime expire whole (docs/format.md, Packs). */
const shortDays = 100;
const daysOf: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };

export interface RecordedRetention {
  readonly rule: string;
  readonly lifetime: Lifetime;
}

/** The rule for a collection: its own name before `category/*` before `*`; null if none names it. */
export function retentionFor(
  { retention }: Pick<ProjectConfig, 'retention'>,
  collection: string,
): RecordedRetention | null {
  const names = [collection, `${collection.split('/', 1)[0]}/*`, '*'];
  const name = names.find((one) => Object.hasOwn(retention, one));
  const rule = name === undefined ? undefined : retention[name];
  return rule === undefined ? null : { rule: ruleText(rule), lifetime: lifetimeOf(rule) };
}

function ruleText(rule: Retention): string {
  return 'within' in rule ? `within ${rule.within}` : 'forever';
}

function lifetimeOf(rule: Retention): Lifetime {
  if (!('within' in rule)) return 'permanent';
  const days = Number(rule.within.slice(0, -1)) * (daysOf[rule.within.slice(-1)] ?? 1);
  return days <= shortDays ? 'short' : 'long';
}
