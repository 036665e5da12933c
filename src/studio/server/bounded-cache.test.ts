import { describe, expect, it } from "vitest";
import { BoundedCache } from "./bounded-cache.ts";

const bytes = (length: number): Promise<Uint8Array<ArrayBuffer>> => Promise.resolve(new Uint8Array(length));

describe("BoundedCache", () => {
  it("keeps what was used last within its bytes", async () => {
    const cache = new BoundedCache(100);
    let made = 0;
    const get = (key: string) =>
      cache.get(key, () => {
        made++;
        return bytes(40);
      });
    await get("a");
    await get("b");
    await get("a");
    await get("c"); // b, not used for longest, goes
    expect([cache.size, made]).toEqual([80, 3]);
    await get("a");
    expect(made).toBe(3);
    await get("b");
    expect(made).toBe(4);
  });

  it("makes a thing once for those who ask at the same time, and again after a failure", async () => {
    const cache = new BoundedCache(100);
    let made = 0;
    const make = async (): Promise<Uint8Array<ArrayBuffer>> => {
      made++;
      if (made === 1) throw new Error("no");
      return bytes(1);
    };
    const answers = await Promise.allSettled([cache.get("a", make), cache.get("a", make)]);
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await cache.get("a", make);
    expect(made).toBe(2);
  });

  it("gives what is larger than all it may hold, and does not keep it", async () => {
    const cache = new BoundedCache(10);
    expect((await cache.get("a", () => bytes(50))).length).toBe(50);
    expect(cache.size).toBe(0);
  });
});
