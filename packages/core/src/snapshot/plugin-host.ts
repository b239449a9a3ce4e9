/**
 * Plugins in a thread of their own, as a snapshot uses them: it can be ended whatever a plugin does, and is started when
 * there is something to ask.
 */
import { defaultLimits, type Limits, type Manifest } from '@mbk/plugin-sdk';
import type { ByteString } from '../format/byte-name.ts';
import { examinedStore } from '../plugins/examined-store.ts';
import { examiner, type Examiner } from '../plugins/examiner.ts';
import { type LayoutColumns, unpackLayout } from '../plugins/layout-columns.ts';
import type { Answer, LayoutCall } from '../plugins/plugin-calls.ts';
import { has, headBytesOf, type PluginSource } from '../plugins/plugin-source.ts';
import { defaultHeapMb, type NoAnswer } from '../plugins/plugin-thread.ts';
import { pluginThreads } from '../plugins/plugin-threads.ts';
import type { Handlers } from '../pool/channel.ts';
import type { Threads } from '../pool/threads.ts';
import { type AssetPlugins, type AssetRule, knownAsset, layoutBounds } from './asset-plugins.ts';

export interface PluginHost extends AssetPlugins {
  readonly sources: readonly PluginSource[];
  readonly examiner: Examiner;
  /** What a plugin says of itself once it is loaded, or why it cannot be. */
  describe(number: number): Promise<Manifest | { readonly problem: string }>;
  close(): Promise<void>;
}

export interface PluginHostOptions {
  /** In the order in which plugins are asked: the first that knows a file decides. */
  readonly sources: readonly PluginSource[];
  /** Where the files of this run lie: absolute; undefined where they lie in a repository. */
  readonly root: ByteString | undefined;
  readonly limits?: Limits | undefined;
  /** Longest that a plugin may go without a sign of getting on, in milliseconds; a minute unless given. */
  readonly idleMs?: number | undefined;
  /** Most MiB of a plugin's heap; 256 unless given. */
  readonly heapMb?: number | undefined;
  /** A thread that was started before (`startPluginThread`). */
  readonly threads?: Threads | undefined;
  /** What plugins may ask for: files of a repository. */
  readonly handlers?: Handlers | undefined;
  /** Folder of what was said of contents before; without one nothing is kept. Absolute. */
  readonly storeFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const defaultIdleMs = 60_000;

/** The caller closes it. */
export function pluginHost(options: PluginHostOptions): PluginHost {
  const { handlers = {}, heapMb = defaultHeapMb, idleMs = defaultIdleMs, root, signal, sources, threads } = options;
  const setup = {
    plugins: sources.map(({ module, argument, options: given }) => ({ module, argument, options: given })),
    limits: options.limits ?? defaultLimits,
    root,
  };
  const { streams, thread } = pluginThreads({ setup, handlers, heapMb, idleMs, signal, threads });
  const store = options.storeFolder === undefined ? undefined : examinedStore(options.storeFolder);
  const rules = sources.map((source): AssetRule => ({
    match: source.manifest.match,
    looksInside: has(source, 'layout'),
    examines: { random: has(source, 'inspect') || has(source, 'validate'), stream: has(source, 'scan') },
  }));
  return {
    sources,
    rules,
    headBytes: headBytesOf(sources),
    kindOf: (path, head) => knownAsset(rules, { path, head })?.kind,
    async recognise({ fd, path, size }, head) {
      const known = knownAsset(rules, { path, head });
      if (known === undefined) return undefined;
      const plugin = sources[known.number]?.manifest.name ?? '';
      if (!known.looksInside) return { ...known, plugin, layout: undefined, problem: undefined };
      const source = { type: 'open', fd, size } as const;
      const call: LayoutCall = { plugin: known.number, path, source, limits: layoutBounds };
      const answer = (await thread.ask('layout', call, { isUrgent: true })) as
        | Answer<LayoutColumns | undefined>
        | NoAnswer;
      if (answer.type !== 'answer') {
        const problem = answer.type === 'stale' ? 'the file is gone' : answer.message;
        return { ...known, plugin, layout: undefined, problem };
      }
      // A model without tensors (a vocabulary) is an ordinary file.
      const columns = answer.value;
      const layout = columns === undefined || columns.lengths.length === 0 ? undefined : unpackLayout(columns);
      return { ...known, plugin, layout, problem: undefined };
    },
    async describe(number) {
      const answer = (await thread.ask('describe', number)) as Answer<Manifest> | NoAnswer;
      if (answer.type === 'answer') return answer.value;
      return { problem: answer.type === 'stale' ? 'it is gone' : answer.message };
    },
    examiner: examiner({ sources, thread, streams, root, store }),
    async close() {
      await Promise.all([thread.close(), streams.close()]);
    },
  };
}
