import { classesOf, type ObjectClass } from "../object-class.ts";

/** Fruit, vegetables and food. Colours were named by looking at each sprite. */
export const edibleClasses: readonly ObjectClass[] = [
  ...classesOf("fruit", 0.8, ["table"], {
    apple: { colours: ["red"], tints: ["green", "pink"], band: [330, 20], variants: ["green", "yellow"], keeps: ["green"] },
    orange: { also: ["tangerine"], colours: ["orange"], tints: ["yellow", "green"] },
    lemon: { colours: ["yellow"], tints: ["orange", "green"] },
    pear: { colours: [], tints: ["green", "yellow", "brown"] },
    pineapple: { colours: [], tints: ["yellow", "orange", "green", "brown"], size: 1.1 },
    strawberry: { colours: ["red"], tints: ["green", "pink", "black"], size: 0.7 },
    peach: { colours: [], tints: ["orange", "pink", "red", "green", "yellow"] },
    banana: { colours: ["yellow"], tints: ["orange", "white"], size: 0.95 },
    watermelon: { also: ["watermelon slice"], colours: [], tints: ["red", "green", "pink", "white", "black"], size: 0.95 },
  }),
  ...classesOf("vegetable", 0.85, ["table"], {
    carrot: { colours: ["orange"], tints: ["green", "yellow"], size: 0.95 },
    "corn cob": { also: ["ear of corn"], colours: ["yellow"], tints: ["green", "orange"], size: 0.95 },
    tomato: { plural: "tomatoes", colours: ["red"], tints: ["green", "pink"], size: 0.75, band: [325, 20], variants: ["yellow", "orange"], keeps: ["green"] },
    mushroom: { colours: ["red"], tints: ["white", "pink", "orange"], size: 0.75, places: ["table", "wild"] },
    eggplant: { also: ["aubergine"], colours: ["purple"], tints: ["green", "blue"], size: 0.95 },
    "bell pepper": { also: ["pepper"], colours: ["green"], band: [100, 180], variants: ["red", "yellow", "orange"], keeps: ["green"] },
    potato: { plural: "potatoes", colours: ["brown"], tints: ["orange", "yellow"], size: 0.75 },
    onion: { colours: ["brown"], tints: ["orange", "yellow"], size: 0.75 },
  }),
  ...classesOf("food", 0.9, ["table"], {
    burger: { also: ["hamburger"], colours: [], tints: ["brown", "orange", "green", "red", "yellow"] },
    "pizza slice": { plural: "pizza slices", also: ["piece of pizza", "slice of pizza"], colours: [], tints: ["yellow", "orange", "red"] },
    "hot dog": { colours: [], tints: ["orange", "brown", "yellow", "red"] },
    donut: { also: ["doughnut"], colours: ["brown"], tints: ["orange", "pink"], band: [350, 24], minChroma: 0.4, variants: ["pink", "white"], keeps: ["orange", "brown"], size: 0.8 },
    cupcake: { also: ["muffin"], colours: [], tints: ["pink", "blue", "purple"], band: [285, 345], variants: ["white", "yellow", "green"], keeps: ["blue", "pink"] },
    cake: { also: ["birthday cake"], colours: [], tints: ["brown", "white", "orange", "pink", "yellow"], size: 1.1 },
    cookie: { also: ["biscuit"], colours: ["brown"], tints: ["orange"], size: 0.7 },
    sandwich: { colours: [], tints: ["yellow", "brown", "orange", "green", "red"] },
    croissant: { colours: ["brown"], tints: ["orange", "yellow"] },
  }),
];
