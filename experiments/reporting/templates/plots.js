// Draws every figure of the page from the JSON beside it; the page's colours come from its style sheet.
for (const plot of document.querySelectorAll(".plot")) {
  const figure = JSON.parse(document.getElementById(`${plot.id}-data`).textContent);
  Plotly.newPlot(plot, figure.data, figure.layout, { responsive: true, displaylogo: false, displayModeBar: "hover" });
}
