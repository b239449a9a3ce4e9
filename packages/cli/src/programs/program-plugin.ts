/**
 * A program as a plugin: `mbk-asset-NAME` speaks the contract in JSON lines over its standard streams
 * (docs/plugins.md, Programs). It is started once, in the plugin thread, and asked one question after the other.
 *
 * It gets no secret and nothing of the environment but PATH, HOME and LANG. One that is silent, says too much or takes
 * too much memory is killed, which costs its question; the next one starts it again.
 */
import {
  checkDifference,
  checkExamination,
  checkManifest,
  type Checked,
  type Difference,
  type Examination,
  LayoutError,
  type Manifest,
  type Plugin,
  type PluginContext,
  type Reader,
  type StreamReader,
} from '@mbk/plugin-sdk';
import { execa } from 'execa';
import { killTree, residentKb } from './process-tree.ts';

export interface ProgramArgument {
  readonly name: string;
  /** A path, or a name on the PATH. */
  readonly program: string;
}

export interface ProgramLimits {
  /** Longest between two lines of the program, in milliseconds. */
  readonly silenceMs: number;
  /** Longest line. */
  readonly lineBytes: number;
  /** Lines that one question may take. */
  readonly lines: number;
  /** Address space of each of its processes, in KiB. */
  readonly memoryKb: number;
  /** Memory that it and what it started hold together, in KiB. */
  readonly residentKb: number;
}

export const programLimits: ProgramLimits = {
  silenceMs: 30_000,
  lineBytes: 8_388_608,
  lines: 1_000_000,
  memoryKb: 4_194_304,
  residentKb: 1_048_576,
};

/** How often it is looked what a program holds, while it is being asked. */
const memoryCheckMs = 100;

/** Most bytes that a program gets by one read. */
const largestRead = 4_194_304;

/** What a program says: it asks for bytes, or answers. */
interface Line {
  readonly read?: { readonly reader?: unknown; readonly offset?: unknown; readonly length?: unknown };
  readonly sibling?: { readonly reader?: unknown; readonly path?: unknown };
  readonly next?: unknown;
  readonly answer?: unknown;
  readonly malformed?: { readonly code?: unknown; readonly message?: unknown; readonly offset?: unknown };
  readonly error?: unknown;
}

/** The plugin that a program is. Throws what is wrong with its manifest. */
export async function makePlugin(argument: ProgramArgument, limits: ProgramLimits = programLimits): Promise<Plugin> {
  const ask = programSession(argument, limits);
  const described = await ask('describe', {}, { readers: [] });
  checkManifest(described);
  const manifest = described as Manifest;
  const has = new Set(manifest.contributes);
  const about = ({ collection, kind, options }: PluginContext): object => ({
    kind,
    collection: collection ?? null,
    options,
  });
  const examined = new WeakMap<Reader, Promise<Examination>>();
  const examine = (reader: Reader, context: PluginContext): Promise<Examination> => {
    const known = examined.get(reader);
    if (known !== undefined) return known;
    const asked = ask(
      'examine',
      { ...about(context), path: reader.path, size: reader.size },
      { readers: [reader], signal: context.signal },
    ).then((value) => valueOf(checkExamination(value, context.limits)));
    examined.set(reader, asked);
    return asked;
  };
  return {
    ...manifest,
    ...(has.has('inspect') && {
      inspect: async (reader, context) => (await examine(reader, context)).inspection,
    }),
    ...(has.has('validate') && {
      validate: async (reader, context) => (await examine(reader, context)).findings,
    }),
    ...(has.has('scan') && {
      async scan(stream: StreamReader, context: PluginContext): Promise<Examination> {
        const { path, size } = stream;
        const value = await ask(
          'scan',
          { ...about(context), path, size },
          { readers: [], stream, signal: context.signal },
        );
        return valueOf(checkExamination(value, context.limits));
      },
    }),
    ...(has.has('diff') && {
      async diff(before: Reader, after: Reader, context: PluginContext): Promise<Difference> {
        const sizes = { before: before.size, after: after.size };
        const question = { ...about(context), path: after.path, ...sizes };
        const value = await ask('diff', question, { readers: [before, after], signal: context.signal });
        return valueOf(checkDifference(value, context.limits));
      },
    }),
  };
}

function valueOf<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value;
  throw new TypeError(`its answer breaks the contract: ${checked.reason}`);
}

interface Asked {
  /** Numbered from 0, as the program names them. */
  readonly readers: readonly Reader[];
  readonly stream?: StreamReader;
  readonly signal?: AbortSignal;
}

type Ask = (question: string, about: object, asked: Asked) => Promise<unknown>;

function programSession({ name, program }: ProgramArgument, limits: ProgramLimits): Ask {
  let running: Running | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const askNow: Ask = async (question, about, asked) => {
    running ??= start(program, limits);
    const own = running;
    const memory = watchMemory(own.pid, limits);
    try {
      return await Promise.race([converse(own, { ask: question, ...about }, asked, limits), memory.exceeded]);
    } catch (error) {
      if (error instanceof LayoutError) throw error;
      running = undefined;
      own.kill();
      asked.signal?.throwIfAborted();
      const said = own.errorText();
      const more = said === '' ? '' : `; it wrote: ${said}`;
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}${more}`, { cause: error });
    } finally {
      memory.stop();
    }
  };
  return (question, about, asked) => {
    const answer = turn.then(() => askNow(question, about, asked));
    turn = answer.catch(() => undefined); // its caller is told
    return answer;
  };
}

interface MemoryWatch {
  /** Rejects once the program holds more than it may. */
  readonly exceeded: Promise<never>;
  stop(): void;
}

function watchMemory(pid: number | undefined, limits: ProgramLimits): MemoryWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    if (pid === undefined || residentKb(pid) <= limits.residentKb) return;
    reject(new Error(`it took more than ${Math.floor(limits.residentKb / 1024)} MiB of memory`));
  }, memoryCheckMs);
  return { exceeded: promise, stop: () => clearInterval(timer) };
}

interface Running {
  /** Undefined for a program that could not be started. */
  readonly pid: number | undefined;
  /** The next line; undefined when the program ended. */
  line(): Promise<string | undefined>;
  send(value: object): void;
  /** End of what it wrote to standard error. */
  errorText(): string;
  /** Ends it, and waits for nothing: children of its own may hold its streams open. */
  kill(): void;
}

function start(program: string, { lineBytes, memoryKb, silenceMs }: ProgramLimits): Running {
  const { HOME = '', LANG = 'C.UTF-8', PATH = '' } = process.env;
  // A program has no limit of its own but what the shell that becomes it sets.
  const child = execa('sh', ['-c', 'ulimit -v "$1" 2>/dev/null; shift; exec "$@"', 'sh', String(memoryKb), program], {
    buffer: false,
    reject: false,
    extendEnv: false,
    env: { HOME, LANG, PATH },
    cleanup: true,
  });
  let isOver = false;
  void child.finally(() => (isOver = true));
  const { stderr, stdin, stdout } = child;
  let errors = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (errors = `${errors}${text}`.slice(-500)));
  stdin.on('error', () => undefined); // it ended: that is told by the end of its output
  const lines = readLines(stdout, lineBytes);
  return {
    pid: child.pid,
    async line() {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`it was silent for ${silenceMs / 1000} s`)), silenceMs);
      });
      try {
        const next = await Promise.race([lines.next(), silence]);
        return next.done === true ? undefined : next.value;
      } finally {
        clearTimeout(timer);
      }
    },
    send: (value) => void stdin.write(`${JSON.stringify(value)}\n`),
    errorText: () => errors.trim(),
    kill() {
      if (child.pid !== undefined && !isOver) killTree(child.pid);
      stdout.destroy();
      stderr.destroy();
    },
  };
}

async function* readLines(stream: AsyncIterable<unknown>, lineBytes: number): AsyncGenerator<string, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      yield Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      parts = [];
      length = 0;
      rest = rest.subarray(end + 1);
    }
    parts.push(rest);
    length += rest.length;
    if (length > lineBytes) throw new Error(`it wrote a line of more than ${lineBytes} bytes`);
  }
  return undefined;
}

/** Asks, serves what the program wants to read, and gives its answer. */
async function converse(running: Running, question: object, asked: Asked, limits: ProgramLimits): Promise<unknown> {
  const { signal } = asked;
  const readers = [...asked.readers];
  const pieces = asked.stream?.stream({ ...(signal && { signal }) })[Symbol.asyncIterator]();
  running.send(question);
  for (let count = 0; count < limits.lines; count += 1) {
    signal?.throwIfAborted();
    const text = await running.line();
    if (text === undefined) throw new Error('it ended before it had answered');
    const line = parse(text);
    if ('answer' in line) {
      await pieces?.return?.();
      return line.answer;
    }
    if (line.malformed !== undefined) throw malformed(line.malformed);
    if (line.error !== undefined) throw new Error(`it says: ${JSON.stringify(line.error).slice(0, 500)}`);
    running.send(await serve(line, { readers, pieces, signal }));
  }
  throw new Error(`it took more than ${limits.lines} lines`);
}

interface Served {
  readonly readers: Reader[];
  readonly pieces: AsyncIterator<Uint8Array> | undefined;
  readonly signal: AbortSignal | undefined;
}

async function serve({ next, read, sibling }: Line, { pieces, readers, signal }: Served): Promise<object> {
  const options = { ...(signal && { signal }) };
  if (read !== undefined) {
    const { length = 0, offset = 0, reader = 0 } = read;
    const found = readers[Number(reader)];
    if (found === undefined) return { error: 'there is no such reader' };
    const [from, size] = [Number(offset), Math.min(Number(length), largestRead)];
    const isInside = Number.isSafeInteger(from) && Number.isSafeInteger(size) && from >= 0 && size >= 0;
    if (!isInside || from + size > found.size)
      throw new Error(`it read ${String(offset)} + ${String(length)} of ${found.size} bytes`);
    return { bytes: Buffer.from(await found.read(from, size, options)).toString('base64') };
  }
  if (sibling !== undefined) {
    const { path = '', reader = 0 } = sibling;
    const found = await readers[Number(reader)]?.sibling(String(path), options);
    if (found === undefined) return { reader: null };
    return { reader: readers.push(found) - 1, size: found.size };
  }
  if (next !== undefined && pieces !== undefined) {
    const piece = await pieces.next();
    return piece.done === true ? { end: true } : { bytes: Buffer.from(piece.value).toString('base64') };
  }
  throw new Error('it wrote a line that asks for nothing and answers nothing');
}

function parse(text: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null) throw new Error('it wrote a line that is no JSON object');
  return value;
}

function malformed({ code, message, offset }: NonNullable<Line['malformed']>): LayoutError {
  const place = Number.isSafeInteger(offset) ? Number(offset) : undefined;
  return new LayoutError(String(code), String(message).slice(0, 1000), place);
}
