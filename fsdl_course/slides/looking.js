// What is wrong with each slide of a page that is laid out for printing: sentences, with the slide's number.
settings => {
  const problems = [];
  const slides = [...document.querySelectorAll("section[data-marpit-pagination], section[id]")]
    .filter(section => section.closest("foreignObject"));
  const few = text => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 50));

  const parse = colour => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return {red, green, blue, alpha};
  };
  const background = element => {
    for (let place = element; place; place = place.parentElement) {
      const colour = parse(getComputedStyle(place).backgroundColor);
      if (colour.alpha === 1) return colour;
      if (colour.alpha > 0) return null; // see-through colours are not judged, and refused
    }
    return {red: 255, green: 255, blue: 255};
  };
  const light = ({red, green, blue}) => {
    const [r, g, b] = [red, green, blue].map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  slides.forEach((section, index) => {
    const say = sentence => problems.push(`slide ${index + 1}: ${sentence}`);
    const edge = section.getBoundingClientRect();
    const style = getComputedStyle(section);
    const inside = {
      left: edge.left + parseFloat(style.paddingLeft) - 2, right: edge.right - parseFloat(style.paddingRight) + 2,
      top: edge.top, bottom: edge.bottom - parseFloat(style.paddingBottom) + 2,
    };
    if (Math.abs(edge.width - 1280) > 1 || Math.abs(edge.height - 720) > 1)
      say(`it is ${edge.width} × ${edge.height}, not 1280 × 720`);
    let over_told = 0;
    for (const element of section.querySelectorAll("*")) {
      if (element.closest("footer, header") || element.parentElement.closest("section svg")) continue;
      const box = element.getBoundingClientRect();
      if (!box.width || !box.height) continue;
      const over = Math.max(inside.left - box.left, box.right - inside.right, inside.top - box.top, box.bottom - inside.bottom);
      if (over > 0 && over_told++ < 1)
        say(`<${element.tagName.toLowerCase()}> ${few(element.textContent || element.alt || "")} goes ${Math.round(over)} px beyond the slide's margins`);
      if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth && getComputedStyle(element).overflow !== "visible")
        say(`<${element.tagName.toLowerCase()}> ${few(element.textContent)} is cut off: ${element.scrollWidth} px wide in ${element.clientWidth}`);
      if (element.scrollHeight > element.clientHeight + 1 && element.clientHeight && getComputedStyle(element).overflow !== "visible")
        say(`<${element.tagName.toLowerCase()}> ${few(element.textContent)} is cut off: ${element.scrollHeight} px high in ${element.clientHeight}`);
    }
    const walk = document.createTreeWalker(section, NodeFilter.SHOW_TEXT);
    const judged = new Set();
    while (walk.nextNode()) {
      const element = walk.currentNode.parentElement;
      if (!walk.currentNode.textContent.trim() || judged.has(element) || /^(style|script|title|desc)$/i.test(element.tagName)) continue;
      judged.add(element);
      const looks = getComputedStyle(element);
      const least = element.closest("footer, header") ? 18 : settings.smallest;
      if (parseFloat(looks.fontSize) < least - 0.01)
        say(`${few(walk.currentNode.textContent)} is ${parseFloat(looks.fontSize)} px high, ${least} are the least`);
      const behind = background(element), colour = parse(looks.color);
      if (!behind || colour.alpha < 1 || contrast(colour, behind) < settings.contrast)
        say(`${few(walk.currentNode.textContent)} has a contrast of ${behind ? contrast(colour, behind).toFixed(1) : "nobody knows"}, ${settings.contrast} is the least`);
    }
    for (const image of section.querySelectorAll("img")) {
      if (!image.alt.trim()) say("a picture has no text");
      if (!image.complete || !image.naturalWidth) say(`the picture ${few(image.alt)} is not there`);
    }
    const note = document.querySelector(`.bespoke-marp-note[data-index="${index}"]`);
    if (!note || !note.textContent.trim()) say("its notes are not on the page");
  });
  return {slides: slides.length, problems};
}
