import { statfs } from "node:fs/promises";

/** Bytes that this user may still write to the disk that holds `folder`; 0 where the system does not tell. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
