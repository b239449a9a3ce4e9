/** Standard output as a place that may be slow, full, or gone. */

/**
 * A reader that has seen enough, such as `head`, closes the pipe: then there is nobody left to tell anything, and the
 * command goes on to its own end. Any other failure means that output is lost: the command fails.
 */
export function guardStdout(process: NodeJS.Process): void {
  // A terminal that was closed: what is left to say goes nowhere, and the command still ends as it should.
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`error: standard output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
}

/** Writes at the speed of the reader; false once nobody reads any more. */
export async function writeOut(stream: NodeJS.WriteStream, part: string | Uint8Array): Promise<boolean> {
  if (stream.destroyed || !stream.writable) return false;
  if (stream.write(part)) return true;
  return new Promise((resolve) => {
    const settle = (isOpen: boolean) => () => {
      for (const [name, listener] of listeners) stream.off(name, listener);
      resolve(isOpen);
    };
    const listeners = [
      ['drain', settle(true)],
      ['error', settle(false)],
      ['close', settle(false)],
    ] as const;
    for (const [name, listener] of listeners) stream.once(name, listener);
  });
}
