/**
 * Two threads for questions to plugins. One of them reads a stream at a time, for as long as that takes, so that the other
 * is there for whoever stands still until he is answered; the second is started only when both have something to do.
 */
import { type PluginAsker, type PluginThread, pluginThread, type PluginThreadOptions } from './plugin-thread.ts';
import type { Threads } from '../pool/threads.ts';

export interface PluginThreads {
  readonly thread: PluginAsker;
  /** For questions about streams: one after the other. */
  readonly streams: PluginAsker;
}

export function pluginThreads(
  options: PluginThreadOptions & { readonly threads?: Threads | undefined },
): PluginThreads {
  const { threads, ...others } = options;
  const first = pluginThread({ ...others, threads });
  const second = pluginThread(others);
  let reading: PluginThread | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const close = async (): Promise<void> => {
    await Promise.all([first.close(), second.close()]);
  };
  const ask: PluginAsker['ask'] = (name, argument, askOptions) =>
    (reading === first ? second : first).ask(name, argument, askOptions);
  return {
    thread: { ask, close },
    streams: {
      ask(name, argument, askOptions) {
        const asked = turn.then(async () => {
          reading = first.isIdle() ? first : second;
          try {
            return await reading.ask(name, argument, askOptions);
          } finally {
            reading = undefined;
          }
        });
        turn = asked.catch(() => undefined); // told to whoever asked
        return asked;
      },
      close,
    },
  };
}
