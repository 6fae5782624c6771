import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Does the steps of a file by JSch: Steps.java PORT USER KEY STEPS. */
public class Steps {
    public static void main(String[] words) throws Exception {
        JSch jsch = new JSch();
        jsch.addIdentity(words[2]);
        Session session = jsch.getSession(words[1], "127.0.0.1", Integer.parseInt(words[0]));
        session.setConfig("StrictHostKeyChecking", "no");
        session.connect(30_000);
        try {
            ChannelSftp sftp = (ChannelSftp) session.openChannel("sftp");
            sftp.connect(30_000);
            for (String line : Files.readAllLines(Path.of(words[3]), StandardCharsets.UTF_8)) {
                String[] fields = line.split("\t", -1);
                step(sftp, fields[0], fields[1], fields[2]);
            }
        } catch (Exception error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
        session.disconnect();
    }

    private static void step(ChannelSftp sftp, String verb, String from, String to) throws Exception {
        switch (verb) {
            case "put" -> sftp.put(from, plain(to));
            case "put-with-times" -> {
                sftp.put(from, to);
                sftp.setMtime(to, (int) (new File(from).lastModified() / 1000));
                sftp.chmod(0644, to);
            }
            case "resume" -> sftp.put(from, to, ChannelSftp.RESUME);
            case "put-all" -> {
                for (File file : new File(from).listFiles()) {
                    sftp.put(file.getPath(), to + "/" + file.getName());
                }
            }
            case "get" -> sftp.get(from, to);
            case "get-rest" -> sftp.get(from, to, null, ChannelSftp.RESUME);
            case "get-all" -> sftp.get(from + "/*", to);
            case "rename" -> sftp.rename(from, to);
            case "remove" -> sftp.rm(from);
            case "list" -> {
                StringBuilder names = new StringBuilder();
                for (Object entry : sftp.ls(from)) {
                    names.append(((ChannelSftp.LsEntry) entry).getFilename()).append('\n');
                }
                System.out.print(names);
            }
            case "make-folder" -> sftp.mkdir(from);
            default -> throw new IllegalArgumentException(verb);
        }
    }

    /** JSch takes `*` and `?` for patterns, and a backslash before them away. */
    private static String plain(String path) {
        return path.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?");
    }
}
