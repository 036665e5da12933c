import { describe, expect, it } from "vitest";
import { measureCoverage } from "./coverage.ts";
import { estimateRisk } from "./estimate.ts";
import { poolOf, type Thing } from "./made-pool.contract.ts";

const dog = (...sentences: string[]): Thing => ({ category: "dog", sentences });
const sofa: Thing = { category: "sofa" };
const none = () => [];

describe("how completely a pool is annotated", () => {
  it("is told by annotations that no sentence is about, where sentences name few landmarks", () => {
    const half = measureCoverage(
      poolOf([
        [dog("dog"), dog()],
        [dog("dog"), dog()],
      ]).pool,
      none,
    );
    expect(half).toEqual({
      annotationsPerImage: 2,
      referredShare: 0.5,
      landmarks: 0,
      landmarksAnnotated: 0,
      isComplete: true,
      reason: "50 % of annotations are of objects that no sentence is about",
    });
  });

  it("is doubted where nearly all annotations are those that refs needed", () => {
    const refsAlone = measureCoverage(poolOf([[dog("dog")], [dog("dog")]]).pool, none);
    expect(refsAlone).toMatchObject({ annotationsPerImage: 1, referredShare: 1, isComplete: false });
    expect(refsAlone.reason).toMatch(
      /^100 % of annotations are of objects that a sentence is about: others may be there/,
    );
  });

  it("is told by landmarks once 30 are named: four fifths have to be annotated in their image", () => {
    // Said of dogs and of cats: of dogs alone, "sofa" would be learnt as a name of theirs.
    const images = (annotated: number): Thing[][] =>
      Array.from({ length: 30 }, (_, at) => {
        const animal = at % 2 === 0 ? dog("dog by the sofa") : { category: "cat", sentences: ["cat by the sofa"] };
        return at < annotated ? [animal, sofa] : [animal];
      });
    const [enough, tooFew] = [24, 23].map((annotated) => estimateRisk(poolOf(images(annotated)).pool).coverage);
    expect(enough).toMatchObject({ landmarks: 30, landmarksAnnotated: 24, isComplete: true });
    expect(enough!.reason).toBe("of 30 landmarks that sentences name, 80 % are annotated in their image");
    expect(tooFew).toMatchObject({ landmarks: 30, landmarksAnnotated: 23, isComplete: false });
  });

  it("takes no landmark from no-target sentences, nor the target's own name", () => {
    const more = [{ image: 0, things: [], sentences: ["dog by the sofa"] }];
    const { coverage } = estimateRisk(poolOf([[dog("dog"), sofa]], more).pool);
    expect(coverage).toMatchObject({ landmarks: 0, landmarksAnnotated: 0 });
  });
});
