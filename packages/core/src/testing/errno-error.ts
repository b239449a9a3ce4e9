/** An error as a system call throws it: `code` is the system's name, such as 'ENOSPC'. */
export function errnoError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });
}
