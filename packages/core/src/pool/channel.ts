/**
 * Calls between two threads, both ways over one port: each side names what it does for the other and calls what the
 * other does. Calls arrive in the order in which they were made; answers come whenever they are ready.
 */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads';
import { errorOf, recordOf, type ErrorRecord } from './error-record.ts';

/** What one side does, by name. An argument and an answer are what structured clone can copy. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

/** An answer whose buffers change hands in place of being copied. */
export class Handover {
  readonly value: unknown;
  readonly buffers: readonly Transferable[];

  constructor(value: unknown, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

export interface Channel {
  /** Calls the other side; `buffers` are not this side's afterwards. Rejects with what the other side threw. */
  call(name: string, argument?: unknown, buffers?: readonly Transferable[]): Promise<unknown>;
  /** Rejects all calls that wait and all that come: the other side is gone. */
  break(error: Error): void;
}

interface Call {
  readonly call: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly answer: number } & ({ readonly value: unknown } | { readonly error: ErrorRecord });

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Opens this side of `port`; `makeHandlers` gives what it does, and may keep the channel for calls of its own. */
export function openChannel(port: MessagePort | Worker, makeHandlers: (channel: Channel) => Handlers): Channel {
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let broken: Error | undefined;

  const send = (message: Call | Answer, buffers: readonly Transferable[] = []): void => {
    if (broken === undefined) port.postMessage(message, buffers);
  };

  const respond = async ({ call, name, argument }: Call): Promise<void> => {
    try {
      const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
      if (handler === undefined) throw new TypeError(`expected a call that is known, got ${name}`);
      const result = await handler(argument as never);
      if (result instanceof Handover) send({ answer: call, value: result.value }, result.buffers);
      else send({ answer: call, value: result });
    } catch (error) {
      send({ answer: call, error: recordOf(error) });
    }
  };

  const settle = (answer: Answer): void => {
    const caller = waiting.get(answer.answer);
    waiting.delete(answer.answer);
    if (caller === undefined) return;
    if ('error' in answer) caller.reject(errorOf(answer.error));
    else caller.resolve(answer.value);
  };

  const channel: Channel = {
    call(name, argument, buffers = []) {
      if (broken !== undefined) return Promise.reject(broken);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      calls += 1;
      waiting.set(calls, { resolve, reject });
      try {
        send({ call: calls, name, argument }, buffers);
      } catch (error) {
        waiting.delete(calls);
        reject(error as Error);
      }
      return promise;
    },

    break(error) {
      if (broken !== undefined) return;
      broken = error;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
  const handlers = makeHandlers(channel);
  port.on('message', (message: Call | Answer) => {
    if ('call' in message) void respond(message);
    else settle(message);
  });
  return channel;
}
