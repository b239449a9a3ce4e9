/** Errors as they cross the border of a thread: what tells them apart is kept, their class is made again. */
import { errorTable, isMbkError, MbkError, type ErrorCode } from '../errors.ts';

export interface ErrorRecord {
  /** `mbk`: an MbkError. `system`: what a system call refused. `fault`: anything else. */
  readonly kind: 'mbk' | 'system' | 'fault';
  readonly message: string;
  readonly code?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly remedy?: string | undefined;
  readonly syscall?: string | undefined;
  readonly stack?: string | undefined;
  readonly cause?: ErrorRecord | undefined;
}

/** Causes of causes beyond these are left out. */
const deepestCause = 4;

export function recordOf(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) return { kind: 'fault', message: String(error) };
  const cause = error.cause === undefined || depth === deepestCause ? undefined : recordOf(error.cause, depth + 1);
  const common = { message: error.message, stack: error.stack, cause };
  if (isMbkError(error)) {
    return { kind: 'mbk', ...common, code: error.code, details: cloneable(error.details), remedy: error.remedy };
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof syscall === 'string'
    ? { kind: 'system', ...common, code, syscall }
    : { kind: 'fault', ...common };
}

export function errorOf({ kind, message, code, details, remedy, syscall, stack, cause }: ErrorRecord): Error {
  const options = cause === undefined ? {} : { cause: errorOf(cause) };
  if (kind === 'mbk' && code !== undefined && Object.hasOwn(errorTable, code)) {
    return new MbkError(code as ErrorCode, message, {
      ...options,
      ...(details && { details }),
      ...(remedy !== undefined && { remedy }),
    });
  }
  const error = new Error(message, options);
  if (stack !== undefined) error.stack = stack;
  return kind === 'system' ? Object.assign(error, { code, syscall }) : error;
}

/** Details are facts for machines; one that cannot be sent is told as text. */
function cloneable(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(details);
  } catch {
    return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, String(value)]));
  }
}
