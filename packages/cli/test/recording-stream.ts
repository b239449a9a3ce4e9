/** A stream that keeps what is written to it, as wide as it is told to be. */

import { Writable } from 'node:stream';

export interface RecordingStream {
  readonly stream: NodeJS.WriteStream;
  text(): string;
  /** Changes the width, as a terminal whose window is drawn. */
  resize(columns: number): void;
}

export function recordingStream({
  isTTY,
  columns = 20,
}: {
  readonly isTTY: boolean;
  readonly columns?: number;
}): RecordingStream {
  let text = '';
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const stream = Object.assign(writable, { isTTY, columns });
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => text,
    resize(to) {
      stream.columns = to;
      stream.emit('resize');
    },
  };
}
