/** What a configuration is for: the lab's four classes, told by its collection or else by its keys. */

import type { Json } from '@mbk/plugin-sdk';
import { leaves } from './document.ts';

export const classes = ['training', 'domain', 'deployment', 'system'] as const;

export type ConfigClass = (typeof classes)[number];

/** Names of keys that only this class has, compared in lower case without `_` and `-`. */
const telling: Readonly<Record<ConfigClass, readonly string[]>> = {
  training: [
    'learningrate',
    'lr',
    'epochs',
    'numepochs',
    'numtrainepochs',
    'batchsize',
    'perdevicetrainbatchsize',
    'optimizer',
    'scheduler',
    'lrscheduler',
    'warmupsteps',
    'weightdecay',
    'gradientaccumulationsteps',
    'loraalpha',
    'lora',
    'seed',
    'maxsteps',
    'dropout',
    'peft',
    'trainer',
    'dataset',
    'datasets',
  ],
  deployment: [
    'image',
    'replicas',
    'containers',
    'ports',
    'port',
    'services',
    'apiversion',
    'ingress',
    'autoscaling',
    'endpoint',
    'resources',
    'livenessprobe',
    'deploy',
    'environment',
    'nodeselector',
    'host',
  ],
  domain: [
    'domain',
    'domains',
    'persona',
    'systemprompt',
    'glossary',
    'specialty',
    'topics',
    'compliance',
    'disclaimer',
  ],
  system: [
    'logging',
    'loglevel',
    'workers',
    'gateway',
    'cache',
    'database',
    'paths',
    'threads',
    'gpus',
    'devices',
    'cluster',
    'storage',
    'monitoring',
    'metrics',
    'backup',
  ],
};

/** The class that a collection names (`configs/deployment`), or the one most of whose keys are there; undefined for none. */
export function classify(value: Json, collection: string | undefined): ConfigClass | undefined {
  const named = classes.find((one) => collection?.toLowerCase().endsWith(`/${one}`));
  if (named !== undefined) return named;
  const names = keyNames(value);
  const counted = classes.map((one) => ({ one, hits: telling[one].filter((name) => names.has(name)).length }));
  const [best, second] = counted.toSorted((a, b) => b.hits - a.hits);
  return best !== undefined && best.hits > 0 && best.hits > (second?.hits ?? 0) ? best.one : undefined;
}

function keyNames(value: Json): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [pointer] of leaves(value))
    for (const segment of pointer.split('/')) names.add(segment.toLowerCase().replaceAll(/[_-]/g, ''));
  return names;
}
