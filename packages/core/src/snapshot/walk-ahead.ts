/**
 * Begins a walk before its events are wanted: a snapshot walks its source while the key is derived, which takes a fifth
 * of a second of another core.
 */
import { setImmediate } from 'node:timers/promises';
import type { ByteString } from '../format/byte-name.ts';
import { isFleeting } from './folder-handles.ts';
import { walk, type WalkEvent, type WalkOptions } from './walk.ts';

export interface WalkAhead {
  /** The events of the walk, from its start; once. Throws what `walk` throws, where it does. */
  events(): Generator<WalkEvent>;
  /** Gives it up, where nobody wants its events. */
  close(): void;
}

/** Events that are held at most: about 1 KiB each. */
const mostHeld = 4096;
const eventsPerTurn = 256;

/** Begins to walk `root`, in turns, until the events are asked for. */
export function walkAhead(root: ByteString, options: WalkOptions): WalkAhead {
  const walking = walk(root, options);
  const held: WalkEvent[] = [];
  let failure: { readonly error: unknown } | undefined;
  let isWanted = false;

  const proceed = async (): Promise<void> => {
    while (!isWanted && held.length < mostHeld) {
      for (let count = 0; count < eventsPerTurn; count += 1) {
        const { done, value } = walking.next();
        if (done === true) return;
        held.push(value);
        // What is found through a handle is taken before the walk goes on.
        if (value.type === 'file' && isFleeting(value.location)) return;
      }
      await setImmediate();
    }
  };
  const proceeding = proceed().catch((error: unknown) => void (failure = { error }));

  return {
    *events() {
      isWanted = true;
      yield* held.splice(0);
      if (failure !== undefined) throw failure.error;
      yield* walking;
    },
    close() {
      isWanted = true;
      void proceeding.then(() => walking.return(undefined));
    },
  };
}
