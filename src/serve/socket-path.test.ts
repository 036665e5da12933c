import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultSocketPath, prepareSocketPath, removeSocket } from "./socket-path.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe("prepareSocketPath", () => {
  it("makes a private folder", async () => {
    const path = join(folder, "nemosaic-1", "a.sock");
    await prepareSocketPath(path);
    expect((await stat(join(folder, "nemosaic-1"))).mode & 0o777).toBe(0o700);
  });

  it("removes the socket of a server that was killed", async () => {
    const path = join(folder, "dead.sock");
    // A process that ends without closing its socket leaves the file.
    spawnSync(process.execPath, [
      "-e",
      `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect(existsSync(path)).toBe(true);
    await prepareSocketPath(path);
    expect(existsSync(path)).toBe(false);
  });

  it("leaves the socket of a server that answers alone", async () => {
    const path = join(folder, "live.sock");
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(prepareSocketPath(path)).rejects.toMatchObject({
      code: "exists",
      message: expect.stringContaining("listens"),
    });
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it("leaves a file that is no socket alone", async () => {
    const path = join(folder, "notes.txt");
    await writeFile(path, "keep me");
    await expect(prepareSocketPath(path)).rejects.toMatchObject({ code: "exists" });
    expect(existsSync(path)).toBe(true);
  });

  it("refuses a folder that others may write to", async () => {
    const open = join(folder, "open");
    await mkdir(open);
    await chmod(open, 0o777);
    await expect(prepareSocketPath(join(open, "a.sock"))).rejects.toMatchObject({ code: "refused" });
  });

  it("refuses a path that is too long for a socket, saying what to do", async () => {
    await expect(prepareSocketPath(join(folder, "x".repeat(120)))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("--socket"),
    });
  });
});

describe("removeSocket", () => {
  it("removes a folder of nemosaic's own when it is empty, and no other", async () => {
    for (const name of ["nemosaic-1", "mine"]) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "a.sock"), "");
      await removeSocket(join(folder, name, "a.sock"));
    }
    expect(existsSync(join(folder, "nemosaic-1"))).toBe(false);
    expect(existsSync(join(folder, "mine"))).toBe(true);
  });
});

it.each(["/nowhere/run", "", "run", "/proc/self/nowhere"])(
  "defaultSocketPath passes over XDG_RUNTIME_DIR %j, which cannot be used",
  (runtime) => {
    const before = { ...process.env };
    Object.assign(process.env, { XDG_RUNTIME_DIR: runtime, TMPDIR: folder });
    try {
      expect(defaultSocketPath().startsWith(join(folder, "nemosaic-"))).toBe(true);
    } finally {
      for (const name of ["XDG_RUNTIME_DIR", "TMPDIR"])
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
    }
  },
);

it("defaultSocketPath fits a socket's name even where temporary files lie deep", () => {
  const before = process.env.XDG_RUNTIME_DIR;
  process.env.XDG_RUNTIME_DIR = `/${"deep/".repeat(40)}`;
  try {
    expect(Buffer.byteLength(defaultSocketPath())).toBeLessThanOrEqual(103);
  } finally {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  }
});
