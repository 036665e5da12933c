import { describe, expect, it } from "vitest";
import { type ExpressionFeatures, expressionFeatures } from "./index.ts";

const plain: ExpressionFeatures = {
  words: 1,
  hasPositionWord: false,
  positionKinds: [],
  ordinals: [],
  hasNegation: false,
  hasRelation: false,
  hasColour: false,
  hasSuperlative: false,
  hasUniqueness: false,
  hasPlural: false,
};

describe("expressionFeatures", () => {
  it.each<[string, Partial<ExpressionFeatures>]>([
    ["umpire", {}],
    ["", { words: 0 }],
    ["left man", { words: 2, hasPositionWord: true, positionKinds: ["horizontal"] }],
    ["2nd cow on right", { words: 4, hasPositionWord: true, positionKinds: ["horizontal"], ordinals: [2] }],
    ["last cow", { words: 2, hasPositionWord: true, positionKinds: ["order"], ordinals: [-1] }],
    ["man facing left", { words: 3 }],
    ["left of her", { words: 3, hasPositionWord: true, positionKinds: ["horizontal"], hasRelation: true }],
    ["dog next to tree", { words: 4, hasRelation: true }],
    ["man without hat", { words: 3, hasNegation: true }],
    ["isn't red", { words: 2, hasNegation: true, hasColour: true }],
    ["biggest chest", { words: 2, hasSuperlative: true }],
    ["forest guest", { words: 2 }],
    ["only child", { words: 2, hasUniqueness: true }],
    ["both horses", { words: 2, hasPlural: true }],
    ["glass dress bus", { words: 3 }],
    ["guy in back", { words: 3, hasPositionWord: true, positionKinds: ["depth"] }],
    ["pink top", { words: 2, hasColour: true }],
  ])("sees what %j is made of", (expression, expected) => {
    expect(expressionFeatures(expression)).toEqual({ ...plain, ...expected });
  });
});
