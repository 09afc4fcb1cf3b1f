import * as echarts from 'echarts';

/** One line chart of the document. All of them have the same x axis. */
export interface Panel {
  /** The figure with its unit, for example `Latency (ms)`. */
  title: string;
  series: { name: string; points: [x: number, y: number][] }[];
}

/** The size of a panel with its margins, in pixels. Two panels side by side fit the width of a page on GitHub. */
const [WIDTH, HEIGHT] = [450, 240];
const HEADER = 50;

/** Colors that color-blind readers can tell apart (Okabe and Ito). */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

/** Draws the panels, two in each row, and returns an SVG document. */
export function drawChart(title: string, xAxis: string, panels: Panel[]): string {
  const height = HEADER + HEIGHT * Math.ceil(panels.length / 2);
  const chart = echarts.init(null, null, { ssr: true, renderer: 'svg', width: 2 * WIDTH, height });
  const positions = panels.map((_, index) => ({
    left: WIDTH * (index % 2),
    top: HEADER + HEIGHT * Math.floor(index / 2),
  }));
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    title: [
      { text: title, left: 'center', top: 12 },
      ...positions.map(({ left, top }, index) => ({
        text: panels[index]?.title,
        left: left + 10,
        top,
        textStyle: { fontSize: 13 },
      })),
    ],
    legend: positions.map(({ left, top }, index) => ({
      data: panels[index]?.series.map(({ name }) => name),
      left: left + 5,
      top: top + 20,
      icon: 'roundRect',
      itemHeight: 4,
      itemWidth: 14,
      itemGap: 20,
    })),
    grid: positions.map(({ left, top }) => ({
      left: left + 50,
      top: top + 50,
      width: WIDTH - 75,
      height: HEIGHT - 105,
    })),
    xAxis: panels.map((_, gridIndex) => ({
      gridIndex,
      type: 'value',
      name: xAxis,
      nameLocation: 'middle',
      nameGap: 22,
      splitLine: { show: false },
    })),
    yAxis: panels.map((_, gridIndex) => ({ gridIndex, type: 'value', min: 0 })),
    series: panels.flatMap(({ series }, index) =>
      series.map(({ name, points }, number) => ({
        type: 'line',
        name,
        data: points,
        xAxisIndex: index,
        yAxisIndex: index,
        color: COLORS[number],
        showSymbol: false,
        lineStyle: { width: 1.5 },
      })),
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
