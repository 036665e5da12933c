/**
 * For `.catch` behind a read: `instead` where nothing is there. Every other refusal goes on: a file that could not be opened
 * for want of permission or file descriptors is not a file that is missing.
 */
export function ifMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return instead;
    throw error;
  };
}
