// The sheet to write on: strokes of a pen, a finger or a mouse, with undo.

import { greyOf } from "./picture_rules.js";

const PEN = 14; // pixels of the sheet; the card is redrawn with a pen of the usual width anyway

/** A sheet on a canvas: {picture, clear, undo, empty}; `changed` is called after each stroke. */
export function sheet(canvas, changed) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let strokes = [], drawing = null; // the pointer that draws: a second finger does not

  const place = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [((clientX - box.left) * canvas.width) / box.width, ((clientY - box.top) * canvas.height) / box.height];
  };
  const redraw = () => {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    for (const points of strokes) {
      pen.beginPath();
      pen.moveTo(...points[0]);
      for (const point of points.slice(1)) pen.lineTo(...point);
      if (points.length === 1) pen.lineTo(points[0][0] + 0.01, points[0][1]); // a dot
      pen.stroke();
    }
  };
  const lift = (event) => {
    if (event.pointerId !== drawing) return;
    drawing = null;
    changed();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    drawing = event.pointerId;
    canvas.setPointerCapture(drawing);
    strokes.push([place(event)]);
    redraw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const step of events.length ? events : [event]) strokes.at(-1).push(place(step));
    redraw();
  });
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  const set = (next) => {
    [strokes, drawing] = [next, null];
    redraw();
    changed();
  };
  redraw();
  return {
    picture: () => greyOf(pen.getImageData(0, 0, canvas.width, canvas.height)),
    clear: () => set([]),
    undo: () => set(strokes.slice(0, -1)),
    get empty() {
      return strokes.length === 0;
    },
  };
}
