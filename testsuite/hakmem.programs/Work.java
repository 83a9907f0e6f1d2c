// Collections, threads and direct buffers on the Java machine.
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

class Work {
    static long one(int n) throws Exception {
        Map<String, List<Integer>> map = new TreeMap<>();
        for (int i = 0; i < 20000; i++)
            map.computeIfAbsent("k" + i % 997, k -> new ArrayList<>()).add(i ^ n);
        byte[] text = map.toString().getBytes("UTF-8");
        Deflater deflater = new Deflater();
        deflater.setInput(text);
        deflater.finish();
        byte[] packed = new byte[text.length];
        int length = deflater.deflate(packed);
        deflater.end();
        ByteBuffer direct = ByteBuffer.allocateDirect(length);
        direct.put(packed, 0, length).flip();
        CRC32 crc = new CRC32();
        crc.update(direct);
        return crc.getValue();
    }

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> results = new ArrayList<>();
        for (int n = 0; n < 40; n++) {
            int number = n;
            results.add(pool.submit(() -> one(number)));
        }
        long sum = 0;
        for (Future<Long> result : results)
            sum = sum * 31 + result.get();
        pool.shutdown();
        System.out.println(sum);
    }
}
