import { classesOf, type ObjectClass } from "../object-class.ts";

/** Kitchen, furniture, tools, electronics. Colours were named by looking at each sprite. */
export const householdClasses: readonly ObjectClass[] = [
  ...classesOf("kitchen", 0.9, ["table"], {
    mug: { also: ["cup", "coffee mug", "coffee cup"], colours: [], tints: ["white", "gray", "purple", "brown"], band: "greys", variants: ["red", "blue", "green", "yellow"], keeps: ["brown"] },
    teapot: { also: ["tea pot"], colours: [], tints: ["red", "pink"], band: [325, 20], variants: ["blue", "green", "yellow", "purple"] },
    bowl: { colours: ["blue"], tints: ["gray", "white", "purple"], band: [190, 262], minChroma: 0.4, variants: ["red", "green", "pink"], keeps: ["gray", "white"] },
    bucket: { also: ["pail"], colours: ["blue"], tints: ["gray"], band: [185, 235], minChroma: 0.3, variants: ["red", "yellow", "green", "pink"], keeps: ["gray"], places: ["room", "beach", "wild"] },
    basket: { colours: ["brown"], tints: ["orange", "yellow"], places: ["table", "room", "beach"] },
    vase: { also: ["urn"], colours: ["brown"], tints: ["orange"], size: 1.05, places: ["table", "room"], band: [5, 45], variants: ["blue", "green", "purple"] },
    soda: { also: ["soft drink"], colours: [], tints: ["red", "white", "pink"] },
  }),
  ...classesOf("furniture", 1.3, ["room"], {
    chair: { colours: ["brown"], tints: ["red"], band: [340, 40], variants: ["blue", "red", "green", "white"] },
    bed: { colours: [], tints: ["blue", "purple", "black"], size: 1.5 },
    bathtub: { also: ["bath tub", "tub"], colours: ["white"], tints: ["gray", "blue", "purple"], size: 1.5 },
    candle: { colours: [], tints: ["white", "orange", "yellow", "pink"], size: 0.8, places: ["table", "room"] },
    "alarm clock": { also: ["clock"], colours: [], tints: ["red", "white", "yellow", "orange", "pink"], band: [325, 20], variants: ["blue", "green", "purple"], keeps: ["white", "yellow", "orange"], size: 0.9, places: ["table", "room"] },
    "fire extinguisher": { also: ["extinguisher"], colours: ["red"], tints: ["black", "gray", "pink"], size: 1.1, places: ["room", "street"] },
  }),
  ...classesOf("tool", 1, ["room"], {
    toolbox: { also: ["tool box"], colours: ["red"], tints: ["gray", "pink"], band: [325, 20], variants: ["blue", "green", "yellow"], keeps: ["gray"] },
    ladder: { colours: ["brown"], tints: ["red"], size: 1.4 },
    hammer: { colours: [], tints: ["brown", "gray", "white"], size: 0.95 },
    scissors: { plural: "scissors", colours: [], tints: ["red", "pink", "orange", "gray"] },
    magnet: { colours: [], tints: ["red", "pink", "gray", "white"], size: 0.9, band: [325, 20], variants: ["blue", "green"], keeps: ["gray", "white"], places: ["room", "table"] },
  }),
  ...classesOf("electronics", 1, ["room", "table"], {
    laptop: { also: ["notebook computer"], colours: [], tints: ["gray", "blue", "white", "purple"], size: 1.15 },
    tv: { also: ["television"], colours: ["gray"], tints: ["blue", "purple"], size: 1.15 },
    radio: { colours: ["gray"], tints: ["blue", "purple", "white"] },
    camera: { colours: [], tints: ["gray", "black", "white", "purple"], size: 0.9 },
    "cell phone": { also: ["smartphone", "mobile phone"], colours: [], tints: ["purple", "blue", "black", "orange", "yellow"], size: 0.8 },
    telephone: { also: ["landline phone"], colours: [], tints: ["red", "pink"], band: [325, 20], variants: ["blue", "green", "yellow", "black"] },
    printer: { colours: [], tints: ["purple", "white", "black", "blue", "gray"], size: 1.1, places: ["room"] },
  }),
];
